"""Interface of clusterers that partition a graph of nearest neighbors, and carry it to all other points."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated

import numpy as np
import torch
from annotated_types import Ge
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from typing_extensions import Self

from deepcluster_pl.functional import inverse_distance_mean, nearest_neighbors
from deepcluster_pl.functional.distinct_rows import distinct_rows
from deepcluster_pl.functional.neighbors import CANDIDATES, NeighborOrder
from deepcluster_pl.utils.random import sample_rows
from deepcluster_pl.utils.ranges import Count, NonNegativeInt


class GraphClusterer(ABC):
    """Clusterer of points by the graph of their nearest neighbors; a subclass says how the graph is partitioned.

    Groups may have any shape, since only neighbors count. Equal points are one node. Where there are more points than
    `sample_size`, a seeded sample is partitioned. Any other point has the cluster of its nearest fitted points, each
    with weight 1 / distance.

    A fitted point's probability of a cluster is half decided by its own cluster and half by those of its neighbors, so
    points at a border between clusters have less confidence.

    Args:
        n_clusters: K.
        n_neighbors: neighbors of each point that it has edges to; with fewer others, all of them.
        n_components: neighbors are looked for among as many principal components; None = among the points themselves.
        sample_size: points that are partitioned; a seeded sample where there are more.
        random_state: decides everything that is drawn.

    Attributes:
        labels_: cluster (N,) of each point.
        cluster_centers_: mean (K, D) of each cluster's points; of all points for a cluster without any.
        codes_: the distinct points (M, D) that were partitioned.
        probabilities_: their probabilities (M, K).
    """

    labels_: NDArray[np.int64]
    cluster_centers_: NDArray[np.float32]
    codes_: NDArray[np.float32]
    probabilities_: NDArray[np.float32]

    def __init__(
        self,
        n_clusters: Count,
        n_neighbors: Annotated[int, Ge(2)],
        n_components: Count | None,
        sample_size: Annotated[int, Ge(100)],
        random_state: NonNegativeInt,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_neighbors = n_neighbors
        self.n_components = n_components
        self.sample_size = sample_size
        self.random_state = random_state

    @abstractmethod
    def partition(self, points: NDArray[np.float32], neighbors: NDArray[np.integer]) -> NDArray[np.int64]:
        """Partition distinct points, more than K of them.

        Args:
            points: points (M, D), or their principal components.
            neighbors: row numbers (M, n) of each one's nearest others.

        Returns:
            Cluster (M,) of each, from 0 to K-1.
        """

    def fit(self, z: NDArray[np.floating], order: NeighborOrder | None = None) -> Self:
        """Cluster points.

        Args:
            z: points (N, D).
            order: puts the nearest neighbors in an order that is better than that by distances; None keeps theirs.

        Returns:
            This clusterer.
        """
        rows = sample_rows(len(z), self.sample_size, self.random_state)
        self.codes_, which = distinct_rows(np.asarray(z[rows], dtype=np.float32))
        # Partition the graph of the distinct points
        n, k = len(self.codes_), self.n_clusters
        if n <= k:
            clusters, neighbors = np.arange(n), np.arange(n)[:, None]
        else:
            points = self._components()
            wanted = self.n_neighbors if order is None else max(self.n_neighbors, CANDIDATES)
            neighbors = nearest_neighbors(torch.from_numpy(points), min(wanted, n - 1)).numpy()
            if order is not None:
                representatives = rows[np.unique(which, return_index=True)[1]]
                neighbors = order(representatives, neighbors)[:, : self.n_neighbors]
            clusters = self.partition(points, neighbors)
        # Probabilities: the own cluster outweighs all neighbors together by one vote
        votes = np.zeros((n, k), dtype=np.float32)
        for column in neighbors.T:
            votes[np.arange(n), clusters[column]] += 1
        votes[np.arange(n), clusters] += neighbors.shape[1] + 1
        self.probabilities_ = votes / votes.sum(axis=1, keepdims=True)
        # Clusters of all points, and their centers
        self.labels_ = clusters[which] if len(rows) == len(z) else self.predict(z)
        self.cluster_centers_ = np.tile(np.mean(z, axis=0, dtype=np.float64), (k, 1)).astype(np.float32)
        for cluster in np.unique(self.labels_):
            self.cluster_centers_[cluster] = np.mean(z[self.labels_ == cluster], axis=0, dtype=np.float64)
        return self

    def fit_predict(self, z: NDArray[np.floating], order: NeighborOrder | None = None) -> NDArray[np.int64]:
        """Cluster points (N, D), see `fit`; return the cluster (N,) of each."""
        return self.fit(z, order).labels_

    def predict_proba(self, z: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the probabilities (N, K) of points (N, D) by their nearest fitted points."""
        codes, probabilities = torch.from_numpy(self.codes_), torch.from_numpy(self.probabilities_)
        return inverse_distance_mean(torch.as_tensor(z), codes, probabilities).numpy()

    def predict(self, z: NDArray[np.floating]) -> NDArray[np.int64]:
        """Return the most probable cluster (N,) of points (N, D)."""
        clusters: NDArray[np.int64] = self.predict_proba(z).argmax(axis=1)
        return clusters

    def _components(self) -> NDArray[np.float32]:
        """Return the principal components of the distinct points, or the points where they are as narrow."""
        if self.n_components is None or self.n_components >= min(self.codes_.shape):
            return self.codes_
        components: NDArray[np.float32] = PCA(self.n_components, random_state=self.random_state).fit_transform(
            self.codes_
        )
        return components
