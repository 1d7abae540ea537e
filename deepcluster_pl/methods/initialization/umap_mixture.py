"""Initialization by UMAP: it maps the embeddings, and a Gaussian mixture clusters their places on the map."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from deepcluster_pl.functional.distinct_rows import distinct_rows
from deepcluster_pl.utils.ranges import Count, NonNegativeInt, Share
from deepcluster_pl.utils.umap_package import torch_threads_kept, umap_class


class UmapMixture:
    """Clusterer of points by their places on a UMAP map (McInnes, Healy, Melville 2018), as in N2D.

    UMAP draws near neighbors together and leaves gaps between groups. Points that are equal get one place: they are
    mapped once, and every one of them counts in the mixture. The same seed gives the same places on one machine, for
    which UMAP works in a single thread. N2D (McConville, Santos-Rodríguez, Piechocki, Craddock 2021) applies this to
    the embeddings of an autoencoder.

    Args:
        n_components: dimensions of a place.
        n_neighbors: neighbors of each point that UMAP keeps near; with fewer others, all of them.
        min_dist: least distance between places.
        n_epochs: epochs of UMAP's layout; null = 500, or 200 above 10,000 points.
        mixture: scikit-learn's mixture, fitted to the places in float64.
        random_state: decides the layout.

    Attributes:
        labels_: component (N,) of each point.
        codes_: the distinct points (M, D), in the order in which they first appear.
        places_: their places (M, n_components).
    """

    labels_: NDArray[np.int64]
    codes_: NDArray[np.float32]
    places_: NDArray[np.float32]

    def __init__(
        self,
        n_components: Count,
        n_neighbors: Annotated[int, Ge(2)],
        min_dist: Share,
        n_epochs: Count | None,
        mixture: Any,
        random_state: NonNegativeInt,
    ) -> None:
        self.n_components = n_components
        self.n_neighbors = n_neighbors
        self.min_dist = min_dist
        self.n_epochs = n_epochs
        self.mixture = mixture
        self.random_state = random_state

    def check(self) -> None:
        """Raise `UserError` if umap-learn is not installed or cannot be imported; it is an extra."""
        umap_class("start=umap")

    def fit_predict(self, z: NDArray[np.float32]) -> NDArray[np.int64]:
        """Map points and cluster their places.

        Args:
            z: points (N, D).

        Returns:
            Component (N,) of each point.

        Raises:
            ValueError: there are too few distinct points to spread over n_components.
        """
        # Equal points get one place, so each distinct point is mapped once
        self.codes_, which = distinct_rows(z)
        m = len(self.codes_)
        if m < self.n_components + 2:
            raise ValueError(
                f"found {m} distinct embeddings among {len(z)}, and UMAP needs at least {self.n_components + 2} for "
                f"n_components={self.n_components}; type a smaller start.n_components or start=kmeans"
            )
        umap = umap_class("start=umap")(
            n_components=self.n_components,
            n_neighbors=min(self.n_neighbors, m - 1),
            min_dist=self.min_dist,
            n_epochs=self.n_epochs,
            random_state=self.random_state,
            n_jobs=1,
        )
        with torch_threads_kept():
            self.places_ = umap.fit_transform(self.codes_)
        # The mixture sees the place of every point, copies included
        self.labels_ = self.mixture.fit_predict(self.places_[which].astype(np.float64))
        return self.labels_
