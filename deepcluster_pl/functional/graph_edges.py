"""Edges of a graph of nearest neighbors as lists, and sums of their weights by communities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from deepcluster_pl.functional.work_device import work_device

_MOST_IN_FLOAT32 = 2**22
"""Sum of halves that float32 still adds up exactly, with a margin of two."""


@dataclass(frozen=True)
class GraphEdges:
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
    def of(graph: sparse.csr_matrix) -> GraphEdges:
        """Return the edges of a sparse matrix (N, N)."""
        device, listed = work_device(), graph.tocoo()
        first, second = (torch.from_numpy(ends.astype(np.int32)).to(device) for ends in (listed.row, listed.col))
        total = float(listed.data.sum(dtype=np.float64))
        exact = np.float32 if total < _MOST_IN_FLOAT32 else np.float64
        weights = torch.from_numpy(listed.data.astype(exact)).to(device)
        degrees = weights.new_zeros(graph.shape[0]).index_add_(0, first, weights)
        return GraphEdges(first, second, weights, degrees, total)

    def to_communities(self, labels: Tensor, k: int) -> Tensor:
        """Return the weight (N, K) of each point's edges to each community."""
        n = len(self.degrees)
        places = (self.first * k).add_(labels.index_select(0, self.second))
        return self.weights.new_zeros(n * k).index_add_(0, places, self.weights).view(n, k)

    def between(self, labels: Tensor, k: int) -> NDArray[np.float64]:
        """Return the weight (K, K) of the edges between every two communities."""
        table = self.weights.new_zeros(k, k).index_add_(0, labels, self.to_communities(labels, k))
        return table.double().cpu().numpy()


def modularity(table: NDArray[np.float64], resolution: float = 1.0) -> float:
    """Return the modularity of a partition from the weights (K, K) between its communities.

    It is the share of edges within communities, less the share that the degrees let expect (Newman, Girvan: Finding and
    evaluating community structure in networks, Physical Review E 69, 2004).

    Args:
        table: weights between every two communities, each edge counted from both ends.
        resolution: weight of the share that is expected.

    >>> round(modularity(np.array([[4.0, 1.0], [1.0, 4.0]])), 3)
    0.3
    """
    total = table.sum()
    return float(np.trace(table) / total - resolution * np.square(table.sum(axis=1) / total).sum())
