"""Order of neighbors among images by elastic distances, and whether groups get clearer by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepcluster_pl.data.upright_choice import spread
from deepcluster_pl.functional.communities import largest_modularity
from deepcluster_pl.functional.elastic_distances import direction_maps, elastic_distances
from deepcluster_pl.functional.neighbors import CANDIDATES, nearest_neighbors
from deepcluster_pl.functional.work_device import work_device

if TYPE_CHECKING:
    from deepcluster_pl.data.base import ClusteringData

_TRIED_ROWS, _LEAST_TRIED = 2000, 200
_PIXELS_AT_ONCE = 2**20
_LARGEST = 6e4
"""Largest strength of an edge that float16 holds; that of an image from 0 to 1 is below 2."""
_VALUES_AT_ONCE, _VALUES_AT_ONCE_ON_GPU = 2**20, 2**27
"""Values of maps in memory at once: as many as a processor's cache holds, or half a gigabyte."""
Embed = Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""Embeddings (N, D) of the fitted samples at some rows."""
ToPlanes = Callable[[NDArray[np.int64]], Tensor]
"""Images (N, C, H, W) of the fitted samples at some rows, as a net sees them."""


class ElasticOrder:
    """Order of the nearest neighbors of images by elastic distances, see `elastic_distances`.

    Args:
        planes: returns the images at some rows.

    Attributes:
        remark: why this order is taken, for the console.
    """

    def __init__(self, planes: ToPlanes) -> None:
        self.planes = planes
        self.remark = ""

    def among(self, rows: NDArray[np.int64]) -> ElasticOrder:
        """Return the same order for images that are numbered by their places in `rows`."""
        return ElasticOrder(lambda some: self.planes(rows[some]))

    @torch.no_grad()
    def __call__(self, rows: NDArray[np.int64], candidates: NDArray[np.integer]) -> NDArray[np.int64]:
        """Order candidates of each image, the nearest first.

        Args:
            rows: row numbers (M,) of the images in the fitted part.
            candidates: places (M, C) in `rows` of each image's candidates.

        Returns:
            The same places, in order.
        """
        device = work_device()
        size = max(1, _PIXELS_AT_ONCE // self.planes(rows[:1]).numel())
        chunks = [rows[i : i + size] for i in range(0, len(rows), size)]
        maps = torch.cat([direction_maps(self.planes(chunk)).clamp_max(_LARGEST).half().to(device) for chunk in chunks])
        near = torch.from_numpy(candidates.astype(np.int64)).to(device)
        values = _VALUES_AT_ONCE_ON_GPU if device.type == "cuda" else _VALUES_AT_ONCE
        at_once = max(1, values // (near.shape[1] * maps[0].numel()))
        # Results are written in place: small tensors between the large ones of each round would fragment the memory
        ordered = torch.empty_like(near)
        for first in range(0, len(maps), at_once):
            some = near[first : first + at_once]
            own = maps[first : first + at_once].float().repeat_interleave(some.shape[1], dim=0)
            distances = elastic_distances(own, maps[some.flatten()].float()).view(some.shape)
            ordered[first : first + at_once] = some.gather(1, distances.argsort(dim=1, stable=True))
        return ordered.cpu().numpy()


def compared(order: ElasticOrder, data: ClusteringData, embed: Embed) -> tuple[float, float] | None:
    """Compare how clear groups are by nearest embeddings, and by an order of neighbors, without labels.

    On at most 2,000 fitted images, spread evenly, communities of both graphs of neighbors are found, as they are for
    images set upright (see `clearness`).

    Args:
        order: the order.
        data: images, set up.
        embed: returns the embeddings at some rows.

    Returns:
        Both largest modularities; None for fewer than 200 fitted images.
    """
    rows = spread(len(data.part("fit")), _TRIED_ROWS)
    if len(rows) < _LEAST_TRIED:
        return None
    points = embed(rows)
    candidates = nearest_neighbors(torch.from_numpy(points), min(CANDIDATES, len(rows) - 1)).numpy()
    return largest_modularity(points), largest_modularity(points, order(rows, candidates))
