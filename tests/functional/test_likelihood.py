"""The criterion against scikit-learn's, and its preference for the true partition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs
from sklearn.mixture import GaussianMixture

from deepcluster_pl.functional import partition_bic


def by_scikit_learn(z: np.ndarray, clusters: np.ndarray) -> float:
    """The same mixture, put into scikit-learn's hands by its attributes."""
    names = np.unique(clusters)
    mixture = GaussianMixture(len(names))
    mixture.weights_ = np.array([(clusters == name).mean() for name in names])
    mixture.means_ = np.array([z[clusters == name].mean(axis=0) for name in names])
    covariances = [np.cov(z[clusters == name].T, bias=True).reshape(z.shape[1], -1) for name in names]
    mixture.covariances_ = np.array(covariances)
    mixture.precisions_cholesky_ = np.array([np.linalg.inv(np.linalg.cholesky(c)).T for c in covariances])
    return float(mixture.bic(z))


@pytest.mark.parametrize(("n_clusters", "n_features"), [(1, 1), (3, 2), (4, 5)])
def test_it_is_scikit_learns_criterion_of_the_same_mixture(n_clusters, n_features):
    z, _ = make_blobs(200, n_features, centers=3, random_state=0)
    clusters = np.random.default_rng(0).integers(0, n_clusters, size=200)
    found = partition_bic(torch.from_numpy(z), torch.from_numpy(clusters), ridge=0)
    assert found == pytest.approx(by_scikit_learn(z, clusters), rel=1e-9)


def test_the_true_partition_beats_coarser_and_finer_ones():
    z, truth = make_blobs(300, 3, centers=[[0, 0, 0], [9, 0, 0], [0, 9, 0]], random_state=0)
    halves = np.where(truth == 0, 3 * (np.arange(300) % 2), truth)
    values = {name: partition_bic(torch.from_numpy(z), torch.from_numpy(np.asarray(clusters)))
              for name, clusters in {"true": truth, "merged": truth // 2, "split": halves}.items()}  # fmt: skip
    assert min(values, key=values.__getitem__) == "true"


def test_single_members_and_copies_are_finite():
    z = torch.tensor([[0.0, 0.0], [0.0, 0.0], [5.0, 5.0]])
    assert np.isfinite(partition_bic(z, torch.tensor([0, 0, 4])))
    assert np.isfinite(partition_bic(torch.ones(4, 2), torch.tensor([0, 1, 0, 1])))
