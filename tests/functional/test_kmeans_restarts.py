"""k-means of all restarts at once: as good as scikit-learn's, and repeatable."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits

from deepcluster_pl.functional import kmeans_restarts as module
from deepcluster_pl.functional.kmeans_restarts import kmeans_restarts


@pytest.fixture(scope="module")
def digits():
    return torch.from_numpy(load_digits().data.astype(np.float32))


def naive_inertia(x, centers):
    return float(((x[:, None].double() - centers.double()) ** 2).sum(dim=2).min(dim=1).values.sum())


@pytest.mark.parametrize("k", [2, 10, 40])
def test_inertia_is_within_one_percent_of_scikit_learns_best_of_as_many_restarts(digits, k):
    found = kmeans_restarts(digits, k, 10, 300, 1e-4, 0)
    best = KMeans(k, n_init=10, random_state=0).fit(digits.numpy()).inertia_
    assert found.inertia <= 1.01 * best
    assert found.inertia == pytest.approx(naive_inertia(digits, found.centers), rel=1e-5)


def test_labels_are_the_nearest_centers_and_centers_their_means(digits):
    found = kmeans_restarts(digits, 10, 3, 300, 0.0, 1)
    nearest = ((digits[:, None] - found.centers) ** 2).sum(dim=2).argmin(dim=1)
    assert torch.equal(found.labels, nearest)
    means = torch.stack([digits[found.labels == k].mean(dim=0) for k in range(10)])
    assert torch.allclose(found.centers, means, atol=1e-4)


def test_the_same_seed_gives_the_same_result_and_another_one_another(digits):
    first, again, other = (kmeans_restarts(digits, 10, 2, 5, 1e-4, seed) for seed in (3, 3, 4))
    assert torch.equal(first.centers, again.centers)
    assert not torch.equal(first.centers, other.centers)


def test_slices_of_rows_change_nothing_but_rounding(digits, monkeypatch):
    whole = kmeans_restarts(digits, 10, 2, 300, 1e-4, 0)
    monkeypatch.setattr(module, "_VALUES_AT_ONCE", 20 * 500)
    parts = kmeans_restarts(digits, 10, 2, 300, 1e-4, 0)
    assert parts.inertia == pytest.approx(whole.inertia, rel=1e-4)


def test_no_cluster_stays_empty_where_points_suffice():
    x = torch.cat([torch.zeros(50, 2), torch.tensor([[1.0, 0], [0, 1], [5, 5]])])
    found = kmeans_restarts(x, 4, 4, 100, 1e-4, 0, greedy=False)
    assert sorted(torch.bincount(found.labels, minlength=4).tolist()) == [1, 1, 1, 50]
    assert found.inertia == pytest.approx(0, abs=1e-5)


def test_a_large_offset_costs_no_precision(digits):
    moved = kmeans_restarts(digits.double().add(1e4).float(), 10, 3, 300, 1e-4, 0)
    assert moved.inertia == pytest.approx(kmeans_restarts(digits, 10, 3, 300, 1e-4, 0).inertia, rel=1e-2)
