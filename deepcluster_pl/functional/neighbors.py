"""Exact nearest neighbors of many points, some rows at a time, and means over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepcluster_pl.functional.work_device import to_work_device

Rows = NDArray[np.int64]
CANDIDATES = 40
"""Nearest neighbors of each sample that a `NeighborOrder` puts in order."""


class NeighborOrder(Protocol):
    """Order of nearest neighbors that is better than the one by distances between embeddings.

    Attributes:
        remark: why this order is taken, for the console; may be empty.
    """

    remark: str

    def __call__(self, rows: Rows, candidates: NDArray[np.integer]) -> Rows:
        """Order candidates, the nearest first.

        Args:
            rows: row numbers (M,) of samples.
            candidates: places (M, C) in `rows` of each sample's candidates.

        Returns:
            The same places, in order.
        """

    def among(self, rows: Rows) -> NeighborOrder:
        """Return the same order for samples that are numbered by their places in `rows`."""


_FARTHEST = 1e15
"""Largest coordinate whose square float32 can add up."""


def nearest_neighbors(z: Tensor, n_neighbors: int, rows_at_once: int = 1024, rows: slice = slice(None)) -> Tensor:
    """Find the nearest other points of each point by Euclidean distance.

    A point is never its own neighbor; one with a twin has the twin. See `nearest_rows` for exactness and memory.

    Args:
        z: points (N, D).
        n_neighbors: number of neighbors of each point, fewer than N.
        rows_at_once: points whose distances to all others are in memory at once.
        rows: consecutive points whose neighbors are wanted; all by default.

    Returns:
        Row numbers (N, n_neighbors) in z, int32, the nearest first; those of `rows` only.

    Raises:
        ValueError: there are not that many other points.

    >>> nearest_neighbors(torch.tensor([[0.0], [1.0], [3.0]]), 1).tolist()
    [[1], [0], [1]]
    """
    if not 0 < n_neighbors < len(z):
        raise ValueError(f"n_neighbors={n_neighbors} should be at least 1 and less than the {len(z)} points")
    first, end, _ = rows.indices(len(z))
    return _nearest(z[first:end].float(), z.float(), n_neighbors, rows_at_once, own=first)


def nearest_rows(z: Tensor, among: Tensor, n_neighbors: int, rows_at_once: int = 1024) -> Tensor:
    """Find the points of another set that are nearest to each point of z.

    Distances come from |b|² - 2ab about the common mean, in the precision of the points, float32 at least. For ranking
    neighbors that is exact enough, and a matrix product makes it quick. The memory needed is that of
    rows_at_once · M distances.

    Args:
        z: points (N, D).
        among: points (M, D) that the neighbors are taken from.
        n_neighbors: number of neighbors of each point, M at most.
        rows_at_once: points whose distances to all of `among` are in memory at once.

    Returns:
        Row numbers (N, n_neighbors) in `among`, int32, the nearest first.

    Raises:
        ValueError: there are not that many points in `among`.

    >>> nearest_rows(torch.tensor([[0.9], [7.0]]), torch.tensor([[0.0], [1.0], [3.0]]), 2).tolist()
    [[1, 0], [2, 1]]
    """
    if not 0 < n_neighbors <= len(among):
        raise ValueError(f"n_neighbors={n_neighbors} should be at least 1 and at most the {len(among)} points")
    dtype = torch.promote_types(torch.promote_types(z.dtype, among.dtype), torch.float32)
    return _nearest(z.to(dtype), among.to(dtype), n_neighbors, rows_at_once, own=None)


def inverse_distance_mean(
    z: Tensor, known: Tensor, values: Tensor, n_neighbors: int = 10, rows_at_once: int = 64
) -> Tensor:
    """Interpolate values at points z: the mean of the nearest known points' values, each with weight 1 / distance.

    A point that coincides with a known one has that one's value, exactly (Shepard 1968). Distances are computed in
    float64, because the smallest ones decide.

    Args:
        z: points (N, D).
        known: distinct points (M, D) whose values are known.
        values: values (M, E) at the known points.
        n_neighbors: known points that a mean is taken over; all of them where there are fewer.
        rows_at_once: points in memory at once.

    Returns:
        Values (N, E), float64, in the unit of `values`.

    >>> known, values = torch.tensor([[0.0], [4.0]]), torch.tensor([[0.0], [8.0]])
    >>> inverse_distance_mean(torch.tensor([[1.0], [4.0]]), known, values).tolist()
    [[2.0], [8.0]]
    """
    n_neighbors = min(n_neighbors, len(known))
    # Twice as many candidates hold the nearest ones: float32 ranks them, about the common mean and with values up to 1
    middle = known.double().mean(dim=0)
    close = known - middle
    unit = close.abs().max().clamp_min(1e-300)
    places = ((z - middle) / unit).clamp(-_FARTHEST, _FARTHEST).float()
    found = nearest_rows(places, (close / unit).float(), min(2 * n_neighbors, len(known)))
    means = []
    for points, near in zip(_pieces(z, rows_at_once), _pieces(found.long(), rows_at_once), strict=True):
        distances = torch.linalg.vector_norm(known[near].double() - points.double()[:, None], dim=2)
        distances, order = distances.topk(n_neighbors, dim=1, largest=False)
        nearest = near.gather(1, order)
        # A distance of zero takes all the weight of its row
        weights = torch.where((distances == 0).any(dim=1, keepdim=True), (distances == 0).double(), 1 / distances)
        means.append((weights[:, :, None] * values[nearest].double()).sum(dim=1) / weights.sum(dim=1, keepdim=True))
    return torch.cat(means)


def _nearest(z: Tensor, among: Tensor, n_neighbors: int, rows_at_once: int, own: int | None) -> Tensor:
    """Find row numbers (N, n_neighbors) in `among`; where z is `among` from row `own` on, no point is its own."""
    device = z.device
    z, among = to_work_device(z), to_work_device(among)
    with torch.autocast(z.device.type, enabled=False):
        # About the common mean: a large offset would cost digits of the small distances
        middle = among.mean(dim=0)
        among = among - middle
        squares = among.square().sum(dim=1)
        neighbors = []
        for i, points in enumerate(_pieces(z, rows_at_once)):
            distances = torch.addmm(squares, points - middle, among.T, alpha=-2)  # |a|² is the same along a row
            if own is not None:
                row = torch.arange(len(points), device=z.device)
                distances[row, row + own + i * rows_at_once] = torch.inf
            neighbors.append(distances.topk(n_neighbors, dim=1, largest=False).indices.int())
    return torch.cat(neighbors).to(device)


def _pieces(z: Tensor, rows_at_once: int) -> Sequence[Tensor]:
    """Return points (N, D) in slices; all in one for an exported graph, whose number of slices would not be free."""
    return [z] if torch.compiler.is_compiling() else torch.split(z, rows_at_once)
