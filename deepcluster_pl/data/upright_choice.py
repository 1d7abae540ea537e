"""Find out, once for a run's images, whether groups get clearer when images are set upright."""

from __future__ import annotations

from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from torch import Tensor

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.functional.communities import largest_modularity
from deepcluster_pl.functional.gradient_histograms import gradient_histograms
from deepcluster_pl.functional.upright import upright
from deepcluster_pl.utils.image_layout import Layout, to_planes

CLEARER = 0.01
"""Modularity that has to be won. 10,000 digits of MNIST win 0.025, those of `digits` 0.002, and clothes lose 0.002."""
_TRIED_ROWS, _LEAST_TRIED = 2000, 200
"""Samples that images are set upright of to see whether it helps, at most; fewer than the second stay as they are."""
_CELLS, _DIRECTIONS, _COMPONENTS = 4, 8, 50
_IMAGES_AT_ONCE = 1000


class Clearness(NamedTuple):
    """Clearness of groups: the largest modularity of communities of their neighbors, see `largest_modularity`.

    Attributes:
        as_they_are: of the images as they are.
        upright: of the images set upright.
    """

    as_they_are: float
    upright: float

    @property
    def is_won(self) -> bool:
        """Return whether groups are clearer by more than `CLEARER` where images are upright."""
        return self.upright - self.as_they_are > CLEARER


_known: WeakKeyDictionary[ClusteringData, Clearness | None] = WeakKeyDictionary()
"""Findings, kept as long as the data: candidates, and the judge of their partitions, ask again."""


def clearness(data: ClusteringData, layout: Layout) -> Clearness | None:
    """Compare groups among images as they are and set upright, without labels.

    Neighbors are those of histograms of gradient directions, projected onto 50 principal components.

    Args:
        data: images, set up; at most 2,000 fitted ones, spread evenly, are compared.
        layout: of one image.

    Returns:
        Both clearnesses; None for fewer than 200 fitted images, which stay as they are.
    """
    if data not in _known:
        rows = spread(len(data.part("fit")), _TRIED_ROWS)
        _known[data] = None if len(rows) < _LEAST_TRIED else _compared(data, layout, rows)
    return _known[data]


def spread(n: int, most: int) -> NDArray[np.int64]:
    """Return row numbers that are spread evenly over n rows, all of them or so many.

    >>> spread(9, 3).tolist()
    [0, 4, 8]
    """
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64))


def _compared(data: ClusteringData, layout: Layout, rows: NDArray[np.int64]) -> Clearness:
    """Return the clearnesses of some rows of the fitted part."""
    x = torch.from_numpy(data.prepared("fit", rows)).reshape(len(rows), *data.input_shape)
    planes = to_planes(x, layout).float()
    return Clearness(
        largest_modularity(edge_components(planes)),
        largest_modularity(
            edge_components(torch.cat([upright(some) for some in torch.split(planes, _IMAGES_AT_ONCE)]))
        ),
    )


def edge_components(planes: Tensor) -> NDArray[np.float32]:
    """Return the principal components (M, D) of where edges of images (M, C, H, W) are, and of the way they run."""
    chunks = [gradient_histograms(some, _CELLS, _DIRECTIONS).numpy() for some in torch.split(planes, _IMAGES_AT_ONCE)]
    features = np.concatenate(chunks).astype(np.float64)
    components = PCA(min(_COMPONENTS, *features.shape), svd_solver="covariance_eigh").fit_transform(features)
    return np.ascontiguousarray(components, dtype=np.float32)
