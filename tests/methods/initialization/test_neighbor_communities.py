"""Communities as a start: exactly K of them, the same again, and few or equal points."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_blobs, make_moons
from sklearn.metrics import normalized_mutual_info_score

from deepcluster_pl.methods.initialization.initial_clustering import check_clusterer
from deepcluster_pl.methods.initialization.neighbor_communities import NeighborCommunities


def test_digits_are_grouped_better_than_by_kmeans_and_uneven_and_bent_groups_are_found():
    x, y = load_digits(return_X_y=True)
    assert normalized_mutual_info_score(y, NeighborCommunities(10, n_trees=4).fit_predict(x / 16)) > 0.85  # 0.74
    x, y = make_moons(1000, noise=0.08, random_state=1)
    assert normalized_mutual_info_score(y, NeighborCommunities(2).fit_predict(x)) > 0.98
    x, y = make_blobs([900, 80, 20], centers=np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]]), random_state=1)
    assert normalized_mutual_info_score(y, NeighborCommunities(3).fit_predict(x)) > 0.9


def test_the_same_seed_gives_the_same_communities():
    x, _ = make_blobs(300, 4, centers=5, random_state=0)
    first, second = (NeighborCommunities(5, n_trees=2, random_state=3).fit_predict(x) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(("n", "k"), [(3, 2), (12, 10), (40, 15), (30, 1), (5, 5), (60, 30)])
def test_few_points_get_no_more_clusters_than_asked_for(n, k):
    x = np.random.default_rng(0).normal(size=(n, 3)).astype(np.float32)
    found = NeighborCommunities(k, n_trees=2).fit(x)
    assert found.labels_.shape == (n,)
    assert 0 <= found.labels_.min() <= found.labels_.max() < k
    assert found.probabilities_.shape == (n, k)
    twins = NeighborCommunities(2, n_trees=2).fit_predict(np.repeat(x[:2], 20, axis=0))
    assert normalized_mutual_info_score(np.repeat([0, 1], 20), twins) == 1


def test_its_parameters_are_checked_before_a_run():
    check_clusterer(NeighborCommunities(2))
