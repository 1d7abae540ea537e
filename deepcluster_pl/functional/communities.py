"""Partition a graph of nearest neighbors into every number of communities, from many down to two."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from sklearn.cluster import KMeans

from deepcluster_pl.functional.neighbors import nearest_neighbors

Labels = NDArray[np.int64]
_STARTS_A_COMMUNITY = 3
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
) -> dict[int, Labels]:
    """Partition points into K communities of their graph of nearest neighbors, for every K from `largest` down to 2.

    A tree is grown from many small clusters of k-means. At every level the two communities with the most edges between
    them, beside what their degrees let expect, are joined. Then samples move to the community that most of their edges
    lead to. The resolution of the moves is between that of the last and the next join, so no resolution is chosen.
    Of several trees, each number of communities takes the partition with the largest modularity (Reichardt, Bornholdt:
    Statistical mechanics of community detection, Physical Review E 74, 2006).

    Args:
        points: points (N, D).
        largest: largest number of communities that is returned.
        n_neighbors: neighbors of each point in the graph.
        n_starts: number of trees.
        draw: decides the first clusters and the order of the moves.
        graph: the graph, where it is known already.

    Returns:
        Communities (N,) by their number. A number that no tree passed is left out.
    """
    graph = neighbor_graph(points, n_neighbors) if graph is None else graph
    trees = [_tree(points, graph, largest, draw) for _ in range(n_starts)]
    best = {}
    for k in range(2, largest + 1):
        found = [tree[k] for tree in trees if k in tree]
        if found:
            tables = [_weights_between(graph, labels, k) for labels in found]
            resolution = float(np.exp(np.mean([np.log(max(_closest(table)[2], 1e-3)) for table in tables])))
            at = int(np.argmax([_modularity(table, resolution) for table in tables]))
            best[k] = found[at]
    return best


def modularities(graph: sparse.csr_matrix, partitions: dict[int, Labels]) -> dict[int, float]:
    """Return the modularity of each partition, by its number of communities.

    It is the share of edges within communities, less the share that the degrees let expect (Newman, Girvan: Finding and
    evaluating community structure in networks, Physical Review E 69, 2004).

    Args:
        graph: weights (N, N) of the edges.
        partitions: communities (N,) by their number.
    """
    return {k: _modularity(_weights_between(graph, labels, k), 1.0) for k, labels in partitions.items()}


def largest_modularity(points: NDArray[np.float32]) -> float:
    """Return the largest modularity of 2 to 20 communities of the graph of 15 nearest neighbors: how clear groups are.

    Args:
        points: points (N, D), a few thousand at most.
    """
    graph = neighbor_graph(points, _NEIGHBORS)
    found = community_partitions(points, _MOST, _NEIGHBORS, _TREES, np.random.default_rng(0), graph)
    return max(modularities(graph, found).values())


def _tree(
    points: NDArray[np.float32], graph: sparse.csr_matrix, largest: int, draw: np.random.Generator
) -> dict[int, Labels]:
    """Return the partitions of one tree, by their number of communities."""
    degrees = np.asarray(graph.sum(axis=1)).ravel()
    n_first = max(2, min(_STARTS_A_COMMUNITY * largest, max(largest, len(points) // 5)))
    # Many small clusters
    first = KMeans(n_first, n_init=1, max_iter=10, random_state=int(draw.integers(2**31))).fit_predict(points)
    labels = _moved(graph, degrees, _compact(first), _FIRST_RESOLUTION, _FIRST_MOVES, draw)
    partitions: dict[int, Labels] = {}
    while (k := int(labels.max()) + 1) > 1:
        if k <= largest:
            partitions[k] = labels
        if k == 2:
            break
        # Join the two that are closest
        table = _weights_between(graph, labels, k)
        first_one, second, joined_at = _closest(table)
        labels = _compact(np.where(labels == second, first_one, labels))
        table[first_one] += table[second]
        table[:, first_one] += table[:, second]
        table = np.delete(np.delete(table, second, axis=0), second, axis=1)
        # Move samples, at a resolution between this join and the next
        resolution = float(np.sqrt(max(_closest(table)[2], 1e-4) * max(joined_at, 1e-4)))
        labels = _moved(graph, degrees, labels, resolution, _MOVES if k - 1 <= largest else 1, draw)
    return partitions


def _moved(
    graph: sparse.csr_matrix,
    degrees: NDArray[np.float32],
    labels: Labels,
    resolution: float,
    n_rounds: int,
    draw: np.random.Generator,
) -> Labels:
    """Move samples, a random half at a time, to the community that raises the modularity most."""
    rows, k, total = np.arange(len(labels)), int(labels.max()) + 1, degrees.sum()
    for _ in range(n_rounds):
        # Edges to each community, less those that degrees let expect; a sample does not expect itself
        gain = graph @ _one_hot(labels, k)
        gain -= (resolution / total) * degrees[:, None] * np.bincount(labels, degrees, k).astype(np.float32)
        gain[rows, labels] += resolution * degrees**2 / total
        best = gain.argmax(axis=1)
        # Neighbors that move together would swap places for ever, so half of the samples wait
        moves = (gain[rows, best] > gain[rows, labels] + 1e-6) & (draw.random(len(labels)) < 0.5)
        if not moves.any():
            break
        labels = np.where(moves, best, labels)
    return _compact(labels)


def _weights_between(graph: sparse.csr_matrix, labels: Labels, k: int) -> NDArray[np.float64]:
    """Return the weight (K, K) of the edges between every two communities."""
    members = _one_hot(labels, k)
    return np.asarray(members.T @ (graph @ members), dtype=np.float64)


def _closest(table: NDArray[np.float64]) -> tuple[int, int, float]:
    """Return the two communities with the most edges between them, beside what degrees let expect, and that ratio."""
    degrees = table.sum(axis=1)
    ratio = table * degrees.sum() / np.outer(degrees, degrees)
    np.fill_diagonal(ratio, -1)
    first, second = sorted(int(i) for i in np.unravel_index(int(ratio.argmax()), ratio.shape))
    return first, second, float(ratio[first, second])


def _modularity(table: NDArray[np.float64], resolution: float) -> float:
    """Return the modularity of a partition from the weights (K, K) between its communities."""
    total = table.sum()
    return float(np.trace(table) / total - resolution * np.square(table.sum(axis=1) / total).sum())


def _one_hot(labels: Labels, k: int) -> NDArray[np.float32]:
    """Return memberships (N, K), zero or one."""
    members = np.zeros((len(labels), k), dtype=np.float32)
    members[np.arange(len(labels)), labels] = 1
    return members


def _compact(labels: Labels) -> Labels:
    """Return labels from 0 without gaps."""
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)
