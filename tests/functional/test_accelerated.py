"""Counterparts of scikit-learn's clusterers have the same parameters, attributes and answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from deepcluster_pl.functional.accelerated import DeviceKMeans, DeviceMixture, accelerated, counterpart
from deepcluster_pl.functional.work_device import to_work_device, work_device, work_on
from deepcluster_pl.methods.initialization.initial_clustering import fit_initialization

X, Y = make_blobs(400, 6, centers=5, cluster_std=0.5, random_state=0)


@pytest.mark.parametrize(
    "plain",
    [
        KMeans(5, n_init=4, random_state=0),
        KMeans(5, n_init="auto", init="random", random_state=np.random.RandomState(1), max_iter=50),
        GaussianMixture(5, n_init=2, random_state=0),
        GaussianMixture(5, covariance_type="diag", n_init=8, random_state=None),
    ],
)
def test_a_counterpart_finds_the_groups_and_has_every_fitted_attribute(plain):
    fast = counterpart(plain)
    assert type(fast) in (DeviceKMeans, DeviceMixture)
    assert isinstance(fast, type(plain))
    found = fast.fit_predict(X)
    assert adjusted_rand_score(Y, found) == 1.0
    assert (fast.predict(X) == found).all()
    plain.fit(X)
    lacking = {name for name in vars(plain) if name.endswith("_")} - set(vars(fast))
    assert lacking <= {"lower_bounds_"}
    for name in ("cluster_centers_", "means_", "weights_", "covariances_", "precisions_", "precisions_cholesky_"):
        if hasattr(plain, name):
            assert getattr(fast, name).shape == getattr(plain, name).shape, name


@pytest.mark.parametrize(
    "other",
    [
        DBSCAN(),
        KMeans(2, init=np.zeros((2, 6)), n_init=1),
        GaussianMixture(2, covariance_type="tied"),
        GaussianMixture(2, init_params="random"),
        GaussianMixture(2, means_init=np.zeros((2, 6))),
    ],
)
def test_what_has_no_counterpart_stays_as_it_is(other):
    assert counterpart(other) is other


def test_on_the_cpu_scikit_learn_computes():
    clusterer = KMeans(3)
    assert accelerated(clusterer) is clusterer
    with work_on(torch.device("meta")):  # a device that is no GPU
        assert work_device() == torch.device("cpu")


def test_a_gpu_is_used_while_the_block_lasts():
    with work_on(torch.device("cuda")):
        assert type(accelerated(KMeans(3))) is DeviceKMeans
        assert work_device() == torch.device("cuda")
    assert work_device() == torch.device("cpu")
    assert to_work_device(torch.zeros(2)).device.type == "cpu"


def test_too_few_points_are_refused_in_words():
    for fast in (DeviceKMeans(5), DeviceMixture(5)):
        with pytest.raises(ValueError, match="n_samples=3 should be >= n_"):
            fast.fit(X[:3])


def test_an_initialization_takes_a_mixtures_counterpart():
    start = fit_initialization(counterpart(GaussianMixture(5, random_state=0)), torch.from_numpy(X).float())
    assert adjusted_rand_score(Y, start.labels.numpy()) == 1.0
    assert start.weights is not None
