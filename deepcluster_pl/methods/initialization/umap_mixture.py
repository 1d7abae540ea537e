"""A start on the manifold: UMAP lays the embeddings out anew, and a Gaussian mixture clusters where they lie."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import torch
from annotated_types import Ge
from numpy.typing import NDArray

from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.ranges import Count, NonNegativeInt, Share


class UmapMixture:
    """Clusters points by where UMAP puts them (McInnes, Healy, Melville 2018), as N2D does with codes.

    UMAP draws near neighbors together and leaves gaps between groups. Points that are equal get one place: they are
    laid out once, and every one of them counts in the mixture. The same seed gives the same places on one machine,
    for which UMAP works in a single thread.

    Args:
        n_components: length of a place.
        n_neighbors: of each point, which UMAP keeps near; with fewer others, all of them.
        min_dist: how close places may be.
        n_epochs: of UMAP's layout; null = 500, or 200 above 10,000 points.
        mixture: scikit-learn's, fitted to the places in float64.
        random_state: decides the layout.

    Attributes:
        labels_: component (N,) of each point.
        codes_: the distinct points (M, D), in the order in which they first appear.
        places_: where they lie (M, n_components).
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
        """Raise `UserError` where umap-learn is not installed or cannot be imported; it is an extra."""
        _umap_class()

    def fit_predict(self, z: NDArray[np.float32]) -> NDArray[np.int64]:
        """Component (N,) of each point (N, D).

        Raises:
            ValueError: there are too few distinct points to spread over n_components.
        """
        self.codes_, which = _distinct(z)
        m = len(self.codes_)
        if m < self.n_components + 2:
            raise ValueError(
                f"found {m} distinct embeddings among {len(z)}, and UMAP needs at least {self.n_components + 2} for "
                f"n_components={self.n_components}; type a smaller start.n_components or start=kmeans"
            )
        umap = _umap_class()(
            n_components=self.n_components,
            n_neighbors=min(self.n_neighbors, m - 1),
            min_dist=self.min_dist,
            n_epochs=self.n_epochs,
            random_state=self.random_state,
            n_jobs=1,
        )
        threads = torch.get_num_threads()
        self.places_ = umap.fit_transform(self.codes_)
        torch.set_num_threads(threads)  # which numba has set to all that there are
        self.labels_ = self.mixture.fit_predict(self.places_[which].astype(np.float64))
        return self.labels_


def _umap_class() -> Any:
    try:
        from umap import UMAP
    except ImportError as error:
        text = f"start=umap needs umap-learn ({error}); type pip install 'deepcluster_pl[umap]'"
        raise UserError(text) from error
    return UMAP


def _distinct(z: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The distinct rows in the order in which they first appear, and the number (N,) of each row's own."""
    _, first, which = np.unique(z + 0.0, axis=0, return_index=True, return_inverse=True)  # + 0.0: -0.0 is 0.0
    order = first.argsort()
    return z[first[order]], order.argsort()[which.reshape(-1)]
