"""Shallow methods: their assignments are those of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.datasets import make_blobs
from sklearn.mixture import GaussianMixture

from deepcluster_pl.methods.initialization.initial_clustering import fit_initialization
from deepcluster_pl.methods.shallow import ShallowClustering
from deepcluster_pl.nets.identity import Identity


@pytest.fixture
def points():
    x, _ = make_blobs(200, 4, centers=3, cluster_std=4.0, random_state=0)
    return torch.as_tensor(x, dtype=torch.float32)


def initialized(clusterer, points):
    module = ShallowClustering(Identity((4,)), "x", 3)
    module.initialize(fit_initialization(clusterer, points))
    return module


def test_kmeans_assigns_as_scikit_learn_does(points):
    module = initialized(KMeans(3, n_init=2, random_state=0), points)
    expected = KMeans(3, n_init=2, random_state=0).fit_predict(points.numpy())
    assert module.assign(points).argmax(1).tolist() == expected.tolist()


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_a_mixture_gives_scikit_learns_posterior(points, covariance_type):
    mixture = GaussianMixture(3, covariance_type=covariance_type, random_state=0)
    module = initialized(mixture, points)
    posterior = mixture.predict_proba(points.double().numpy())
    np.testing.assert_allclose(module.assign(points).numpy(), posterior, atol=1e-5)


def test_a_clusterer_without_centers_gets_its_groups_means(points):
    module = initialized(AgglomerativeClustering(3), points)
    labels = AgglomerativeClustering(3).fit_predict(points.numpy())
    np.testing.assert_allclose(module.centers[1].numpy(), points.numpy()[labels == 1].mean(0), rtol=1e-5)


@pytest.mark.parametrize("clusterer", [KMeans(3, n_init=1, random_state=0), GaussianMixture(3, random_state=0)])
def test_rows_sum_to_one(points, clusterer):
    assert torch.allclose(initialized(clusterer, points).assign(points).sum(1), torch.ones(200))


def test_it_has_nothing_to_fit(points):
    module = initialized(KMeans(3, n_init=1), points)
    assert not module.learns
    assert module.configure_optimizers() is None
    with pytest.raises(RuntimeError, match="nothing to fit"):
        module.training_step((points, torch.arange(200)), 0)
