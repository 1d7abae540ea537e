"""A place on a plane for every sample, so that a person can look at the code."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from deepcluster_pl.data.datamodule import PartName
from deepcluster_pl.errors import UserError
from deepcluster_pl.evaluation.predictions import Predictions
from deepcluster_pl.utils.random import sample_rows

Map = Literal["pca", "umap"]
Places = dict[PartName, NDArray[np.float32]]
"""Point (N, 2) of every sample on a map, by part."""
NAMES: dict[str, str] = {"pca": "the first two principal components", "umap": "UMAP"}
_LAID_OUT, _NEIGHBORS = 10_000, 15


def check_map(kind: Map) -> None:
    """`UserError` where a map needs a package that is not there; said before anything is trained."""
    if kind == "umap":
        _umap_class()


def map_coordinates(predictions: Predictions, kind: Map, seed: int) -> Places:
    """Where embeddings lie on a map that is made of the fitted part's.

    Args:
        predictions: of each part.
        kind: `pca`, two principal components, zeros where there is one dimension only; or `umap` (McInnes, Healy and
            Melville 2018), which keeps neighbors together and says nothing with distances. UMAP lays out at most
            10,000 fitted samples and puts the others among them; of fewer than five distinct ones the map is `pca`'s.
        seed: decides UMAP's layout.
    """
    z = {name: prediction.z.numpy() for name, prediction in predictions.items()}
    if kind == "umap" and len(np.unique(z["fit"], axis=0)) > 4:
        return _by_umap(z, seed)
    fitted = z["fit"]
    n_components = min(2, *fitted.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # shares of no variance at all
        pca = PCA(n_components, random_state=0).fit(fitted)
    places = {name: pca.transform(points) for name, points in z.items()}
    return {name: np.pad(xy, ((0, 0), (0, 2 - n_components))) for name, xy in places.items()}


def _by_umap(z: dict[PartName, NDArray[np.float32]], seed: int) -> Places:
    rows = sample_rows(len(z["fit"]), _LAID_OUT, seed)
    threads = torch.get_num_threads()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a seed means one thread; that is known
        umap = _umap_class()(n_neighbors=min(_NEIGHBORS, len(rows) - 1), random_state=seed, n_jobs=1)
        laid_out = umap.fit_transform(z["fit"][rows])
        places: Places = {}
        for name, points in z.items():
            others = np.setdiff1d(np.arange(len(points)), rows) if name == "fit" else np.arange(len(points))
            places[name] = np.zeros((len(points), 2), dtype=np.float32)
            if name == "fit":
                places[name][rows] = laid_out
            if len(others):
                places[name][others] = umap.transform(points[others])
    torch.set_num_threads(threads)  # which numba has set to all that there are
    return places


def _umap_class() -> Any:
    try:
        from umap import UMAP
    except ImportError as error:
        raise UserError(f"map=umap needs umap-learn ({error}); type pip install 'deepcluster_pl[umap]'") from error
    return UMAP
