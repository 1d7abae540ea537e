"""Combined partitions of one graph: never worse than the best, and whole groups cross where single points would not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import sparse

from deepcluster_pl.functional.communities import community_partitions, neighbor_graph
from deepcluster_pl.functional.graph_edges import GraphEdges, modularity
from deepcluster_pl.functional.partition_fusion import fused


def _cliques(*sizes: int, bridges: tuple[tuple[int, int, int], ...]) -> sparse.csr_matrix:
    """Return a graph of complete groups, with so many edges between two of them."""
    starts = np.concatenate([[0], np.cumsum(sizes)])
    table = np.zeros((starts[-1], starts[-1]), dtype=np.float32)
    for first, size in zip(starts, sizes, strict=False):
        table[first : first + size, first : first + size] = 1
    for one, other, n in bridges:
        for i in range(n):
            a, b = starts[one] + i % sizes[one], starts[other] + i % sizes[other]
            table[a, b] = table[b, a] = 1
    np.fill_diagonal(table, 0)
    return sparse.csr_matrix(table)


def _naive(graph: sparse.csr_matrix, labels: np.ndarray, resolution: float) -> float:
    w = graph.toarray().astype(float)
    d, total, same = w.sum(axis=1), w.sum(), labels[:, None] == labels[None, :]
    return float((w / total - resolution * np.outer(d, d) / total**2)[same].sum())


@pytest.mark.parametrize("resolution", [0.3, 1.0])
def test_modularity_is_that_of_the_naive_version(resolution):
    graph = _cliques(12, 20, 15, bridges=((0, 1, 4), (1, 2, 7)))
    labels = np.random.default_rng(0).integers(3, size=47)
    table = GraphEdges.of(graph).between(torch.from_numpy(labels).int(), 3)
    assert modularity(table, resolution) == pytest.approx(_naive(graph, labels, resolution))


# The small group belongs to the third, since more of its edges run there; no single point of it would leave
GRAPH = _cliques(40, 12, 40, bridges=((0, 1, 3), (1, 2, 24)))
WRONG = torch.tensor([0] * 40 + [0] * 12 + [1] * 40, dtype=torch.int32)
RIGHT = [0] * 40 + [1] * 12 + [1] * 40


def test_a_group_moves_as_a_whole_where_another_partition_or_a_finer_one_has_it():
    edges = GraphEdges.of(GRAPH)
    finer = torch.tensor([0] * 40 + [1] * 12 + [2] * 40, dtype=torch.int32)
    assert fused(edges, [WRONG], [finer], 1.0, lambda labels: labels).tolist() == RIGHT
    # Partitions with mistakes in different places
    mixed = torch.tensor([1] * 20 + [0] * 20 + [0] * 12 + [0] * 40, dtype=torch.int32)
    other = torch.tensor([1] * 40 + [0] * 12 + [0] * 20 + [1] * 20, dtype=torch.int32)
    combined = fused(edges, [mixed, other, WRONG], [], 1.0, lambda labels: labels).numpy()
    before = max(_naive(GRAPH, labels.numpy(), 1.0) for labels in (mixed, other, WRONG))
    assert _naive(GRAPH, combined, 1.0) > before


def test_a_move_that_lowers_the_modularity_or_empties_a_community_is_not_kept():
    edges = GraphEdges.of(GRAPH)
    right = torch.tensor(RIGHT, dtype=torch.int32)
    finer = torch.tensor([0] * 20 + [3] * 20 + [1] * 12 + [2] * 40, dtype=torch.int32)
    assert fused(edges, [right], [finer], 1.0, lambda labels: labels).tolist() == RIGHT
    assert fused(edges, [WRONG], [finer], 1.0, torch.zeros_like).tolist() == WRONG.tolist()


def test_the_one_number_that_is_wanted_has_at_least_the_modularity_of_every_tree():
    x = np.random.default_rng(3).normal(size=(600, 8)).astype(np.float32)
    x[:, 0] += np.repeat(np.arange(6), 100) * 1.5
    graph = neighbor_graph(x, 8)
    edges = GraphEdges.of(graph)

    def reached(only: int | None) -> float:
        found = community_partitions(x, 20, 8, 4, np.random.default_rng(1), graph, only)
        return modularity(edges.between(torch.from_numpy(found[6]).int(), 6))

    assert reached(6) > reached(None)
