"""Partition a graph of nearest neighbors into every number of communities, from many down to two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from sklearn.cluster import KMeans
from torch import Tensor

from deepcluster_pl.functional.accelerated import accelerated
from deepcluster_pl.functional.graph_edges import GraphEdges, modularity
from deepcluster_pl.functional.neighbors import nearest_neighbors
from deepcluster_pl.functional.partition_fusion import fused
from deepcluster_pl.functional.spectral_partition import symmetric_graph

Labels = NDArray[np.int64]
_MANY_STARTS, _STARTS_A_COMMUNITY, _ROWS_A_START = 300, 3, 5
_ABOVE_A_PAIR = 5
"""Communities above those that are stored, for each pair that is joined at a time."""
_TINY = 0.02
"""Share of the mean size of K communities below which one is no group of its own."""
_LEAST_RATIO = 1e-4
_FIRST_MOVES, _MOVES = 8, 4
_FIRST_RESOLUTION = 2.0
_NEIGHBORS, _MOST, _TREES = 15, 20, 4


def neighbor_graph(points: NDArray[np.float32], n_neighbors: int) -> sparse.csr_matrix:
    """Return the symmetric graph (N, N) of nearest neighbors: 1 for a mutual pair, 1/2 for a one-sided one.

    Args:
        points: points (N, D).
        n_neighbors: neighbors of each point, fewer than N.

    Returns:
        Weights of the edges.
    """
    n = len(points)
    near = nearest_neighbors(torch.from_numpy(points), n_neighbors).numpy().ravel()
    rows = np.repeat(np.arange(n), n_neighbors)
    directed = sparse.csr_matrix((np.full(len(near), 0.5, np.float32), (rows, near)), (n, n))
    return (directed + directed.T).tocsr()


def community_partitions(
    points: NDArray[np.float32],
    largest: int,
    n_neighbors: int,
    n_starts: int,
    draw: np.random.Generator,
    graph: sparse.csr_matrix | None = None,
    only: int | None = None,
) -> dict[int, Labels]:
    """Partition points into K communities of their graph of nearest neighbors, for every K from `largest` down to 2.

    A tree is grown from many small clusters of k-means. At every level the two communities with the most edges between
    them, beside what their degrees let expect, are joined. Then samples move to the community that most of their edges
    lead to. The resolution of the moves is between that of the last and the next join, so no resolution is chosen. Of
    several trees, each number of communities takes the partition with the largest modularity (Reichardt, Bornholdt:
    Statistical mechanics of community detection, Physical Review E 74, 2006), at the resolution of the tree in which
    that many stand out most. Where one number is wanted, trees begin with more small clusters, and their partitions are
    combined to one with a still larger modularity, see `fused`.

    Args:
        points: points (N, D).
        largest: number of communities from which on a tree stores its levels.
        n_neighbors: neighbors of each point in the graph.
        n_starts: number of trees.
        draw: decides the first clusters and the order of the moves.
        graph: the graph, where it is known already; weights are 1 and 1/2, as those of `neighbor_graph`.
        only: the one number of communities that is wanted, at most `largest`; None = all.

    Returns:
        Communities (N,) by their number. A number that no tree passed is left out.
    """
    edges = GraphEdges.of(neighbor_graph(points, n_neighbors) if graph is None else graph)
    trees = [_tree(points, edges, largest, draw, only) for _ in range(n_starts)]
    if only is None:
        best = {k: _clearest(edges, trees, k) for k in range(2, largest + 1)}
    else:
        best = {only: _combined(edges, trees, only, draw)}
    return {k: labels.cpu().numpy().astype(np.int64) for k, labels in best.items() if labels is not None}


def modularities(graph: sparse.csr_matrix, partitions: dict[int, Labels]) -> dict[int, float]:
    """Return the modularity of each partition, by its number of communities.

    Args:
        graph: weights (N, N) of the edges.
        partitions: communities (N,) by their number.
    """
    edges = GraphEdges.of(graph)
    on_device = {k: torch.from_numpy(labels).int().to(edges.first.device) for k, labels in partitions.items()}
    return {k: modularity(edges.between(labels, k)) for k, labels in on_device.items()}


def largest_modularity(points: NDArray[np.float32], neighbors: NDArray[np.integer] | None = None) -> float:
    """Return the largest modularity of 2 to 20 communities of the graph of 15 nearest neighbors: how clear groups are.

    Args:
        points: points (N, D), a few thousand at most.
        neighbors: row numbers (N, 15 or more) of each one's neighbors, where others than the nearest points are meant.
    """
    if neighbors is None:
        graph = neighbor_graph(points, _NEIGHBORS)
    else:
        graph = sparse.csr_matrix(symmetric_graph(neighbors[:, :_NEIGHBORS]).astype(np.float32))
    found = community_partitions(points, _MOST, _NEIGHBORS, _TREES, np.random.default_rng(0), graph)
    return max(modularities(graph, found).values())


@dataclass(frozen=True)
class _Level:
    """Level of a tree.

    Attributes:
        labels: community (N,) of each point.
        resolution: resolution that they were found with, between the last join and the next.
        gap: how far the last join and the next are from each other, as a ratio: large where this many groups stand out.
    """

    labels: Tensor
    resolution: float
    gap: float = 0.0


def _tree(
    points: NDArray[np.float32], edges: GraphEdges, largest: int, draw: np.random.Generator, only: int | None
) -> dict[int, _Level]:
    """Return the levels of one tree, by their number of communities.

    Args:
        points: points (N, D).
        edges: their graph.
        largest: number of communities from which on levels are stored.
        draw: decides the first clusters and the order of the moves.
        only: the one number of communities that is wanted: begin with more small clusters, join several pairs at a time
            while very many are left, and leave no tiny community; None = all numbers are.
    """
    n_first = max(0 if only is None else _MANY_STARTS, _STARTS_A_COMMUNITY * largest)
    n_first = max(2, min(n_first, max(largest, len(points) // _ROWS_A_START)))
    # Many small clusters
    kmeans = accelerated(KMeans(n_first, n_init=1, max_iter=10, random_state=int(draw.integers(2**31))))
    first = torch.from_numpy(kmeans.fit_predict(points)).int().to(edges.first.device)
    resolution, gap = _FIRST_RESOLUTION, 0.0
    labels = _moved(edges, _compact(first), resolution, _FIRST_MOVES, draw)
    levels: dict[int, _Level] = {}
    while (k := int(labels.max()) + 1) > 1:
        if only is not None and only < k <= largest:
            labels = _without_tiny(edges, labels, _TINY * len(points) / only, only)
            k = int(labels.max()) + 1
        if k <= largest:
            levels[k] = _Level(labels, resolution, gap)
        if k == 2:
            break
        # Join the two that are closest, or several pairs while far more are left than are wanted
        table = edges.between(labels, k)
        pairs, joined_at = _closest_pairs(table, 1 if only is None else max(1, (k - largest) // _ABOVE_A_PAIR))
        into = np.arange(k)
        for one, other in pairs:
            into[other] = one
        into = np.unique(into, return_inverse=True)[1]
        labels = torch.from_numpy(into).int().to(labels.device).index_select(0, labels)
        k -= len(pairs)
        onto = np.eye(k)[into]
        # Move samples, at a resolution between this join and the next
        next_at = max(_closest_pairs(onto.T @ table @ onto, 1)[1], _LEAST_RATIO)
        resolution, gap = float(np.sqrt(next_at * max(joined_at, _LEAST_RATIO))), joined_at / next_at
        labels = _moved(edges, labels, resolution, _MOVES if k <= largest else 1, draw)
    return levels


def _levels(trees: list[dict[int, _Level]], k: int) -> tuple[list[Tensor], float]:
    """Return the partitions of several trees into K communities, and the resolution to compare them at.

    It is that of the tree in which K groups stand out most. With a larger one, pieces of a large group would look
    better than small groups of their own; with a smaller one, two groups that touch would look better as one.
    """
    levels = [tree[k] for tree in trees if k in tree]
    clearest = max(levels, key=lambda level: level.gap, default=None)
    return [level.labels for level in levels], 1.0 if clearest is None else clearest.resolution


def _clearest(edges: GraphEdges, trees: list[dict[int, _Level]], k: int) -> Tensor | None:
    """Return the partition into K communities with the largest modularity; None where no tree passed K."""
    found, resolution = _levels(trees, k)
    if not found:
        return None
    return max(found, key=lambda labels: modularity(edges.between(labels, k), resolution))


def _combined(edges: GraphEdges, trees: list[dict[int, _Level]], k: int, draw: np.random.Generator) -> Tensor | None:
    """Return the partition into K communities that those of all trees, and finer ones, are combined to; None likewise.

    Args:
        edges: the graph.
        trees: levels of each tree.
        k: number of communities.
        draw: decides the order of the moves.
    """
    found, resolution = _levels(trees, k)
    if not found:
        return None
    finer = [tree[more].labels for tree in trees for more in (2 * k, 3 * k // 2) if more > k and more in tree]
    return fused(edges, found, finer, resolution, lambda labels: _moved(edges, labels, resolution, _MOVES, draw))


def _without_tiny(edges: GraphEdges, labels: Tensor, least: float, k_least: int) -> Tensor:
    """Join communities of fewer points than `least` to the one that most of their edges lead to, down to `k_least`."""
    while (k := int(labels.max()) + 1) > k_least:
        sizes = torch.bincount(labels, minlength=k)
        tiny = int(sizes.argmin())
        if sizes[tiny] >= least:
            break
        onto = edges.between(labels, k)[tiny]
        onto[tiny] = -1
        labels = _compact(torch.where(labels == tiny, int(onto.argmax()), labels).int())
    return labels


def _moved(edges: GraphEdges, labels: Tensor, resolution: float, n_rounds: int, draw: np.random.Generator) -> Tensor:
    """Move samples, a random half at a time, to the community that raises the modularity most."""
    n, k, device = len(labels), int(labels.max()) + 1, labels.device
    rows, degrees, expected = torch.arange(n, device=device), edges.degrees, resolution / edges.total
    for _ in range(n_rounds):
        # Edges to each community, less those that degrees let expect; a sample does not expect itself
        gain = edges.to_communities(labels, k)
        sizes = degrees.new_zeros(k).index_add_(0, labels, degrees)
        gain.addcmul_(degrees[:, None], sizes[None], value=-expected)
        gain[rows, labels] += expected * degrees.square()
        most, best = gain.max(dim=1)
        # Neighbors that move together would swap places for ever, so half of the samples wait
        takes_part = torch.from_numpy(draw.random(n) < 0.5).to(device)
        moves = (most > gain[rows, labels] + 1e-6) & takes_part
        if not bool(moves.any()):
            break
        labels = torch.where(moves, best.int(), labels)
    return _compact(labels)


def _closest_pairs(table: NDArray[np.float64], n_pairs: int) -> tuple[list[tuple[int, int]], float]:
    """Find the pairs of communities with the most edges between them, beside what degrees let expect.

    Args:
        table: weight (K, K) of the edges between every two communities.
        n_pairs: pairs to find; no community is in two of them.

    Returns:
        The pairs, the closest first, and the ratio of the edges between the last pair to those expected.
    """
    degrees, taken = table.sum(axis=1), np.zeros(len(table), dtype=bool)
    first, second = np.triu_indices(len(table), 1)
    ratios = table[first, second] * degrees.sum() / (degrees[first] * degrees[second])
    pairs: list[tuple[int, int]] = []
    last = 0.0
    for at in np.argsort(-ratios, kind="stable"):
        pair = int(first[at]), int(second[at])
        if not taken[list(pair)].any():
            pairs.append(pair)
            taken[list(pair)] = True
            last = float(ratios[at])
        if len(pairs) == n_pairs:
            break
    return pairs, last


def _compact(labels: Tensor) -> Tensor:
    """Return labels, int32, from 0 without gaps."""
    used = torch.bincount(labels) > 0
    return (used.cumsum(dim=0) - 1).int().index_select(0, labels)
