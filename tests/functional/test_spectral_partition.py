"""The spectral partition: scikit-learn's without weak edges, robust against stray samples with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.cluster import SpectralClustering
from sklearn.datasets import make_blobs, make_moons

from deepcluster_pl.functional import adjusted_rand_indices, nearest_neighbors
from deepcluster_pl.functional import spectral_partition as module_under_test
from deepcluster_pl.functional.spectral_partition import spectral_partition, symmetric_graph


def graph_of(x, n_neighbors=8):
    return symmetric_graph(nearest_neighbors(torch.as_tensor(x, dtype=torch.float32), n_neighbors).numpy())


def agreement(one, other):
    return adjusted_rand_indices(np.stack([one, other]))[0, 1]


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(300, 5, centers=4, cluster_std=3.0, random_state=0)


def test_the_graph_agrees_with_a_loop_over_pairs():
    neighbors = np.array([[1, 2], [0, 3], [3, 1], [1, 0]])
    slow = np.zeros((4, 4))
    for i, row in enumerate(neighbors):
        for j in row:
            slow[i, j] += 0.5
            slow[j, i] += 0.5
    np.testing.assert_array_equal(symmetric_graph(neighbors).toarray(), slow)


def test_without_weak_edges_it_is_scikit_learns(blobs):
    graph = graph_of(blobs[0])
    theirs = SpectralClustering(4, affinity="precomputed", assign_labels="cluster_qr", random_state=0)
    assert agreement(spectral_partition(graph, 4, 0.0, 0), theirs.fit_predict(graph)) == 1


def test_weak_edges_are_those_of_the_graph_in_which_they_are_written_out(blobs):
    graph = graph_of(blobs[0])
    dense = graph.toarray() + 0.5 * graph.sum() / 300**2
    theirs = SpectralClustering(4, affinity="precomputed", assign_labels="cluster_qr", random_state=0)
    assert agreement(spectral_partition(graph, 4, 0.5, 0), theirs.fit_predict(dense)) == 1


def test_the_eigenvalue_iteration_finds_what_the_whole_matrix_gives(blobs, monkeypatch):
    graph = graph_of(blobs[0])
    whole = spectral_partition(graph, 4, 0.5, 0)
    monkeypatch.setattr(module_under_test, "_DENSE_ROWS", 0)
    assert agreement(spectral_partition(graph, 4, 0.5, 7), whole) == 1


def test_an_iteration_that_does_not_converge_says_what_to_type(blobs, monkeypatch):
    def fail(*arguments, **options):
        raise module_under_test.ArpackNoConvergence("no convergence", np.zeros(0), np.zeros((0, 0)))

    monkeypatch.setattr(module_under_test, "_DENSE_ROWS", 0)
    monkeypatch.setattr(module_under_test, "eigsh", fail)
    with pytest.raises(ValueError, match=r"300 samples could not be cut into 4 clusters.*type fewer n_clusters"):
        spectral_partition(graph_of(blobs[0]), 4, 0.5, 0)


def test_groups_may_be_bent():
    x, y = make_moons(400, noise=0.05, random_state=0)
    assert agreement(spectral_partition(graph_of(x), 2, 0.5, 0), y) == 1


def test_loose_pieces_are_clusters_and_a_stray_handful_is_none():
    x, y = make_blobs([200, 200, 200], 3, centers=np.eye(3) * 40, random_state=0)
    assert agreement(spectral_partition(graph_of(x), 3, 0.5, 0), y) == 1
    stray = np.concatenate([x, [[90.0, 90.0, 90.0]] * 9 + np.random.default_rng(0).normal(size=(9, 3))])
    sizes = np.bincount(spectral_partition(graph_of(stray), 3, 0.5, 0)[:600], minlength=3)
    assert sizes.tolist().count(200) == 3


def test_one_cluster_holds_everything():
    assert spectral_partition(graph_of(np.arange(30.0)[:, None]), 1, 0.5, 0).tolist() == [0] * 30
