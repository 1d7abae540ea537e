"""Source of synthetic Gaussian blobs around random centers, for tests and first steps."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import make_blobs
from typing_extensions import Unpack

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.data.options import CommonOptions
from deepcluster_pl.data.samples import Table
from deepcluster_pl.utils.ranges import Count, NonNegativeInt, PositiveFloat


class Blobs(ClusteringData):
    """Points (n_samples, n_features) in `n_centers` Gaussian groups.

    Args:
        n_samples: number of points in all.
        n_features: dimensions of a point.
        n_centers: number of groups.
        spread: standard deviation within a group; the centers are in a cube of side 20.
        random_state: decides centers and points.
        common: see `CommonOptions`.
    """

    def __init__(
        self,
        n_samples: Count,
        n_features: Count,
        n_centers: Count,
        spread: PositiveFloat,
        random_state: NonNegativeInt,
        **common: Unpack[CommonOptions],
    ) -> None:
        super().__init__(common)
        self.n_samples = n_samples
        self.point_features = n_features
        self.n_centers = n_centers
        self.spread = spread
        self.random_state = random_state

    def load(self) -> Table:
        """Draw the points."""
        x, labels = make_blobs(
            self.n_samples, self.point_features, centers=self.n_centers, cluster_std=self.spread,
            random_state=self.random_state,
        )  # fmt: skip
        return Table(np.asarray(x, dtype=np.float32), range(len(x)), labels)
