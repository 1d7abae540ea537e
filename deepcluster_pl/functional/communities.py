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
from deepcluster_pl.functional.neighbors import nearest_neighbors
from deepcluster_pl.functional.spectral_partition import symmetric_graph
from deepcluster_pl.functional.work_device import work_device

Labels = NDArray[np.int64]
_STARTS_A_COMMUNITY = 3
_FIRST_MOVES, _MOVES = 8, 4
_FIRST_RESOLUTION = 2.0
_NEIGHBORS, _MOST, _TREES = 15, 20, 4
_MOST_IN_FLOAT32 = 2**22
"""Sum of halves that float32 still adds up exactly, with a margin of two."""


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
        graph: the graph, where it is known already; weights are 1 and 1/2, as those of `neighbor_graph`.

    Returns:
        Communities (N,) by their number. A number that no tree passed is left out.
    """
    edges = _Edges.of(neighbor_graph(points, n_neighbors) if graph is None else graph)
    trees = [_tree(points, edges, largest, draw) for _ in range(n_starts)]
    best = {}
    for k in range(2, largest + 1):
        found = [tree[k] for tree in trees if k in tree]
        if found:
            tables = [edges.between(labels, k) for labels in found]
            resolution = float(np.exp(np.mean([np.log(max(_closest(table)[2], 1e-3)) for table in tables])))
            at = int(np.argmax([_modularity(table, resolution) for table in tables]))
            best[k] = found[at].cpu().numpy().astype(np.int64)
    return best


def modularities(graph: sparse.csr_matrix, partitions: dict[int, Labels]) -> dict[int, float]:
    """Return the modularity of each partition, by its number of communities.

    It is the share of edges within communities, less the share that the degrees let expect (Newman, Girvan: Finding and
    evaluating community structure in networks, Physical Review E 69, 2004).

    Args:
        graph: weights (N, N) of the edges.
        partitions: communities (N,) by their number.
    """
    edges = _Edges.of(graph)
    on_device = {k: torch.from_numpy(labels).int().to(edges.first.device) for k, labels in partitions.items()}
    return {k: _modularity(edges.between(labels, k), 1.0) for k, labels in on_device.items()}


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
class _Edges:
    """Edges of a graph as three lists, on the device for large computations.

    Attributes:
        first, second: the two ends (E,) of each edge, int32; an edge is listed from both.
        weights: weight (E,) of each edge, a multiple of 1/2 in a type that adds all of them exactly, in any order.
        degrees: sum (N,) of the weights of each point's edges.
        total: sum of all weights.
    """

    first: Tensor
    second: Tensor
    weights: Tensor
    degrees: Tensor
    total: float

    @staticmethod
    def of(graph: sparse.csr_matrix) -> _Edges:
        """Return the edges of a sparse matrix (N, N)."""
        device, listed = work_device(), graph.tocoo()
        first, second = (torch.from_numpy(ends.astype(np.int32)).to(device) for ends in (listed.row, listed.col))
        total = float(listed.data.sum(dtype=np.float64))
        exact = np.float32 if total < _MOST_IN_FLOAT32 else np.float64
        weights = torch.from_numpy(listed.data.astype(exact)).to(device)
        degrees = weights.new_zeros(graph.shape[0]).index_add_(0, first, weights)
        return _Edges(first, second, weights, degrees, total)

    def to_communities(self, labels: Tensor, k: int) -> Tensor:
        """Return the weight (N, K) of each point's edges to each community."""
        n = len(self.degrees)
        places = (self.first * k).add_(labels.index_select(0, self.second))
        return self.weights.new_zeros(n * k).index_add_(0, places, self.weights).view(n, k)

    def between(self, labels: Tensor, k: int) -> NDArray[np.float64]:
        """Return the weight (K, K) of the edges between every two communities."""
        table = self.weights.new_zeros(k, k).index_add_(0, labels, self.to_communities(labels, k))
        return table.double().cpu().numpy()


def _tree(points: NDArray[np.float32], edges: _Edges, largest: int, draw: np.random.Generator) -> dict[int, Tensor]:
    """Return the partitions of one tree, by their number of communities."""
    n_first = max(2, min(_STARTS_A_COMMUNITY * largest, max(largest, len(points) // 5)))
    # Many small clusters
    kmeans = accelerated(KMeans(n_first, n_init=1, max_iter=10, random_state=int(draw.integers(2**31))))
    first = torch.from_numpy(kmeans.fit_predict(points)).int().to(edges.first.device)
    labels = _moved(edges, _compact(first), _FIRST_RESOLUTION, _FIRST_MOVES, draw)
    partitions: dict[int, Tensor] = {}
    while (k := int(labels.max()) + 1) > 1:
        if k <= largest:
            partitions[k] = labels
        if k == 2:
            break
        # Join the two that are closest
        table = edges.between(labels, k)
        first_one, second, joined_at = _closest(table)
        labels = _compact(torch.where(labels == second, first_one, labels))
        table[first_one] += table[second]
        table[:, first_one] += table[:, second]
        table = np.delete(np.delete(table, second, axis=0), second, axis=1)
        # Move samples, at a resolution between this join and the next
        resolution = float(np.sqrt(max(_closest(table)[2], 1e-4) * max(joined_at, 1e-4)))
        labels = _moved(edges, labels, resolution, _MOVES if k - 1 <= largest else 1, draw)
    return partitions


def _moved(edges: _Edges, labels: Tensor, resolution: float, n_rounds: int, draw: np.random.Generator) -> Tensor:
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


def _compact(labels: Tensor) -> Tensor:
    """Return labels, int32, from 0 without gaps."""
    used = torch.bincount(labels) > 0
    return (used.cumsum(dim=0) - 1).int().index_select(0, labels)
