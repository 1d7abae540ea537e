"""Initialization by a cut of the graph of nearest neighbors: groups of samples with few edges between them."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from deepcluster_pl.functional.spectral_partition import spectral_partition, symmetric_graph
from deepcluster_pl.methods.initialization.graph_clusterer import GraphClusterer
from deepcluster_pl.utils.ranges import Count, NonNegativeFloat, NonNegativeInt


class NeighborGraph(GraphClusterer):
    """Clusterer that cuts the graph of nearest neighbors by its spectrum; see `spectral_partition`.

    Args:
        n_clusters, n_neighbors, n_components, sample_size: see `GraphClusterer`.
        regularization: weight of the edges that every point has to all others, in mean degrees. Stray points take no
            clusters of their own with them.
        random_state: decides the sample and the first vector of the eigenvalue iteration.
    """

    def __init__(
        self,
        n_clusters: Count,
        n_neighbors: Annotated[int, Ge(2)] = 10,
        n_components: Count | None = 50,
        regularization: NonNegativeFloat = 0.5,
        sample_size: Annotated[int, Ge(100)] = 20_000,
        random_state: NonNegativeInt = 0,
    ) -> None:
        super().__init__(n_clusters, n_neighbors, n_components, sample_size, random_state)
        self.regularization = regularization

    def partition(self, points: NDArray[np.float32], neighbors: NDArray[np.integer]) -> NDArray[np.int64]:
        """Cut the graph of distinct points into K clusters (M,)."""
        graph = symmetric_graph(neighbors)
        return spectral_partition(graph, self.n_clusters, self.regularization, self.random_state)
