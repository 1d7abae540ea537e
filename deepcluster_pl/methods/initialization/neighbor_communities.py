"""Initialization by communities of the graph of nearest neighbors: a tree of them, read at K."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray
from scipy import sparse

from deepcluster_pl.functional.communities import community_partitions
from deepcluster_pl.functional.spectral_partition import spectral_partition, symmetric_graph
from deepcluster_pl.methods.initialization.graph_clusterer import GraphClusterer
from deepcluster_pl.utils.ranges import Count, NonNegativeInt

_LARGEST, _ROWS_A_COMMUNITY = 20, 10
_REGULARIZATION = 0.5


class NeighborCommunities(GraphClusterer):
    """Clusterer that joins communities of the graph of nearest neighbors until K are left; see `community_partitions`.

    A tree begins with many small clusters of k-means, and samples move to the community that most of their edges lead
    to. Of several trees the partition with the largest modularity is taken. A graph that no tree divides into exactly
    K communities, such as that of very few points, is cut as `NeighborGraph` does.

    Args:
        n_clusters, n_neighbors, n_components, sample_size: see `GraphClusterer`.
        n_trees: number of trees.
        random_state: decides the sample, the first clusters of each tree and the order of the moves.
    """

    def __init__(
        self,
        n_clusters: Count,
        n_neighbors: Annotated[int, Ge(2)] = 10,
        n_components: Count | None = 50,
        n_trees: Count = 8,
        sample_size: Annotated[int, Ge(100)] = 20_000,
        random_state: NonNegativeInt = 0,
    ) -> None:
        super().__init__(n_clusters, n_neighbors, n_components, sample_size, random_state)
        self.n_trees = n_trees

    def partition(self, points: NDArray[np.float32], neighbors: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return the community (M,) of each distinct point."""
        k, seed = self.n_clusters, self.random_state
        graph = symmetric_graph(neighbors)
        # Levels above K are stored too, with as many communities as leave ten points each
        largest = max(k, min(max(_LARGEST, 2 * k), len(points) // _ROWS_A_COMMUNITY))
        found: dict[int, NDArray[np.int64]] = {}
        if 1 < k <= len(points) // 2:
            weights = sparse.csr_matrix(graph.astype(np.float32))
            draw = np.random.default_rng(seed)
            found = community_partitions(points, largest, neighbors.shape[1], self.n_trees, draw, weights, only=k)
        return found[k] if k in found else spectral_partition(graph, k, _REGULARIZATION, seed)
