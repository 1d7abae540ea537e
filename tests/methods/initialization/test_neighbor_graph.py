"""The graph of neighbors: groups of any shape, the same ones again, and any new sample follows its nearest ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, make_blobs
from sklearn.metrics import normalized_mutual_info_score

from deepcluster_pl.errors import UserError
from deepcluster_pl.functional.distinct_rows import distinct_rows
from deepcluster_pl.methods.initialization.initial_clustering import Initialization, check_clusterer, fit_initialization
from deepcluster_pl.methods.initialization.neighbor_graph import NeighborGraph
from deepcluster_pl.methods.shallow import ShallowClustering
from deepcluster_pl.nets.identity import Identity


@pytest.fixture(scope="module")
def blobs():
    x, y = make_blobs(400, 6, centers=4, random_state=3)
    return x.astype(np.float32), y


def method_of(start, d=6, k=4):
    module = ShallowClustering(Identity((d,)), "graph", k)
    module.initialize(start)
    return module


@pytest.mark.parametrize("seed", [0, 1])
def test_digits_are_grouped_better_than_by_kmeans_on_them(seed):
    x, y = load_digits(return_X_y=True)
    found = NeighborGraph(10, random_state=seed).fit_predict(x / 16)
    assert normalized_mutual_info_score(y, found) > 0.88  # k-means: 0.74


def test_fitted_points_keep_their_clusters_and_near_ones_follow_them(blobs):
    x, _ = blobs
    start = fit_initialization(NeighborGraph(4), torch.from_numpy(x))
    module = method_of(start)
    assert module.assign(torch.from_numpy(x)).argmax(dim=1).tolist() == start.labels.tolist()
    near = module.assign(torch.from_numpy(x) + 0.01)
    assert near.argmax(dim=1).tolist() == start.labels.tolist()
    torch.testing.assert_close(near.sum(dim=1), torch.ones(400))


def test_confidence_is_least_at_a_border():
    x = torch.linspace(0, 1, 201)[:, None]
    start = fit_initialization(NeighborGraph(2, n_neighbors=4), x)
    confidence = method_of(start, 1, 2).assign(x).amax(dim=1)
    assert confidence.max() == 1
    assert 0.5 < confidence.min() < 0.9
    assert 80 < confidence.argmin() < 120


def test_the_same_seed_gives_the_same_partition_and_a_sample_nearly_that_of_all(blobs):
    x, y = blobs
    sampled = [NeighborGraph(4, sample_size=120, random_state=5).fit(x) for _ in range(2)]
    np.testing.assert_array_equal(sampled[0].labels_, sampled[1].labels_)
    assert len(sampled[0].codes_) == 120
    assert normalized_mutual_info_score(sampled[0].labels_, y) > 0.95


def test_equal_points_have_one_cluster_and_constant_features_change_nothing(blobs):
    x, _ = blobs
    doubled = np.concatenate([x, x[:50], x[:50]])
    found = NeighborGraph(4).fit(doubled)
    assert len(found.codes_) == 400
    assert found.labels_[400:450].tolist() == found.labels_[:50].tolist() == found.labels_[450:].tolist()
    constant = np.hstack([x, np.full((400, 2), 1e3, dtype=np.float32)])
    assert normalized_mutual_info_score(NeighborGraph(4).fit_predict(constant), found.labels_[:400]) == 1


def test_wide_points_are_compared_by_their_principal_components(blobs):
    x, y = blobs
    noise = np.random.default_rng(0).normal(size=(400, 300)).astype(np.float32)
    wide = np.hstack([x, noise])
    within, among = (NeighborGraph(4, n_components=n).fit_predict(wide) for n in (6, None))
    assert normalized_mutual_info_score(y, within) >= normalized_mutual_info_score(y, among)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_few_points_are_clusters_of_their_own_and_the_rest_stays_empty(n):
    x = np.repeat(np.eye(5, dtype=np.float32)[:n], 3, axis=0)
    start = fit_initialization(NeighborGraph(3, n_neighbors=10), torch.from_numpy(x))
    assert start.centers.shape == (3, 5)
    assert bool(start.centers.isfinite().all())
    assert len(start.labels.unique()) == min(n, 3)


def test_one_cluster_and_a_single_sample(blobs):
    assert set(NeighborGraph(1).fit_predict(blobs[0])) == {0}
    assert NeighborGraph(1).fit_predict(np.ones((1, 4), dtype=np.float32)).tolist() == [0]


def test_centers_are_the_means_of_the_clusters(blobs):
    x, _ = blobs
    found = NeighborGraph(4).fit(x)
    for k in range(4):
        np.testing.assert_allclose(found.cluster_centers_[k], x[found.labels_ == k].mean(axis=0), rtol=1e-4, atol=1e-4)


def test_it_is_loaded_as_it_was_saved(blobs, tmp_path):
    x = torch.from_numpy(blobs[0])
    start = fit_initialization(NeighborGraph(4), x)
    start.save(tmp_path / "start.safetensors")
    loaded = Initialization.load(tmp_path / "start.safetensors")
    assert torch.equal(method_of(loaded).assign(x), method_of(start).assign(x))


@pytest.mark.parametrize(("d", "k"), [(5, 4), (6, 3)])
def test_a_model_of_other_sizes_is_refused(blobs, d, k):
    start = fit_initialization(NeighborGraph(4), torch.from_numpy(blobs[0]))
    with pytest.raises(ValueError, match="embeddings and probabilities of a graph have shapes"):
        method_of(start, d, k)


def test_distinct_rows_are_in_the_order_of_their_first_appearance():
    x = np.array([[2, 0], [1, 1], [2, 0], [0, 3], [1, 1]])
    rows, which = distinct_rows(x)
    assert rows.tolist() == [[2, 0], [1, 1], [0, 3]]
    np.testing.assert_array_equal(rows[which], x)


def test_points_that_are_not_finite_are_refused():
    check_clusterer(NeighborGraph(2))
    with pytest.raises(UserError, match="NaN, infinite or huge"):
        fit_initialization(NeighborGraph(2), torch.full((9, 2), torch.nan))
