"""Map embeddings onto a plane, so that a person can look at them."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from deepcluster_pl.data.base import PartName
from deepcluster_pl.evaluation.predictions import Predictions
from deepcluster_pl.utils.random import sample_rows
from deepcluster_pl.utils.umap_package import torch_threads_kept, umap_class

Map = Literal["pca", "umap"]
Places = dict[PartName, NDArray[np.float32]]
"""Point (N, 2) of every sample on a map, by part."""
NAMES: dict[str, str] = {"pca": "the first two principal components", "umap": "UMAP"}
"""Name of each kind of map, for a person."""
_LAID_OUT, _NEIGHBORS = 10_000, 15


def check_map(kind: Map) -> None:
    """Raise `UserError` if a map needs a package that is missing; call this before anything is trained."""
    if kind == "umap":
        umap_class("map=umap")


def map_coordinates(predictions: Predictions, kind: Map, seed: int) -> Places:
    """Return the coordinates of embeddings on a map that is fitted to the fitted part.

    Args:
        predictions: embeddings of each part.
        kind: `pca`, two principal components, the second zero where there is one dimension only; or `umap` (McInnes,
            Healy, Melville 2018), which keeps neighbors together, while its distances mean nothing. UMAP is fitted to
            at most 10,000 samples and puts the others among them; fewer than five distinct ones are mapped by `pca`.
        seed: decides UMAP's layout.

    Returns:
        Points (N, 2) of the samples of each part.
    """
    z = {name: prediction.z.numpy() for name, prediction in predictions.items()}
    if kind == "umap" and len(np.unique(z["fit"], axis=0)) > 4:
        return _by_umap(z, seed)
    return by_components(z)


def by_components(z: dict[PartName, NDArray[np.float32]]) -> Places:
    """Return the coordinates of embeddings of each part on the first two principal components of the fitted part."""
    n_components = min(2, *z["fit"].shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # shares of no variance at all
        pca = PCA(n_components, random_state=0).fit(z["fit"])
    places = {name: pca.transform(points) for name, points in z.items()}
    return {name: np.pad(xy, ((0, 0), (0, 2 - n_components))) for name, xy in places.items()}


def _by_umap(z: dict[PartName, NDArray[np.float32]], seed: int) -> Places:
    """Fit UMAP to a sample of the fitted part, and map all other samples into its layout."""
    rows = sample_rows(len(z["fit"]), _LAID_OUT, seed)
    with warnings.catch_warnings(), torch_threads_kept():
        warnings.simplefilter("ignore", UserWarning)  # a seed means one thread; that is known
        umap = umap_class("map=umap")(n_neighbors=min(_NEIGHBORS, len(rows) - 1), random_state=seed, n_jobs=1)
        laid_out = umap.fit_transform(z["fit"][rows])
        places: Places = {}
        for name, points in z.items():
            others = np.setdiff1d(np.arange(len(points)), rows) if name == "fit" else np.arange(len(points))
            places[name] = np.zeros((len(points), 2), dtype=np.float32)
            if name == "fit":
                places[name][rows] = laid_out
            if len(others):
                places[name][others] = umap.transform(points[others])
    return places
