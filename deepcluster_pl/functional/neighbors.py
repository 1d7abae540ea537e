"""Who is near whom: exact nearest neighbors of many points, some rows at a time."""

from __future__ import annotations

import torch
from torch import Tensor


def nearest_neighbors(z: Tensor, n_neighbors: int, rows_at_once: int = 1024) -> Tensor:
    """Row numbers (N, n_neighbors), int32, of the nearest other points by Euclidean distance, the nearest first.

    A point is never its own neighbor; one with a twin has the twin. See `nearest_rows` for exactness and memory.

    Args:
        z: points (N, D).
        n_neighbors: fewer than N.
        rows_at_once: points whose distances to all others are held at once.

    >>> nearest_neighbors(torch.tensor([[0.0], [1.0], [3.0]]), 1).tolist()
    [[1], [0], [1]]
    """
    if not 0 < n_neighbors < len(z):
        raise ValueError(f"n_neighbors={n_neighbors} should be at least 1 and less than the {len(z)} points")
    return _nearest(z.float(), z.float(), n_neighbors, rows_at_once, leave_out_own=True)


def nearest_rows(z: Tensor, among: Tensor, n_neighbors: int, rows_at_once: int = 1024) -> Tensor:
    """Row numbers (N, n_neighbors), int32, in `among` of the points nearest to each of z, the nearest first.

    Distances come from |b|² - 2ab about the common mean, in the precision of the points, float32 at least: for ranking
    neighbors that is exact enough, and a matrix product makes it quick. The memory needed is that of
    rows_at_once · M distances.

    Args:
        z: points (N, D).
        among: points (M, D), which hold the neighbors.
        n_neighbors: M at most.
        rows_at_once: points whose distances to all of `among` are held at once.

    >>> nearest_rows(torch.tensor([[0.9], [7.0]]), torch.tensor([[0.0], [1.0], [3.0]]), 2).tolist()
    [[1, 0], [2, 1]]
    """
    if not 0 < n_neighbors <= len(among):
        raise ValueError(f"n_neighbors={n_neighbors} should be at least 1 and at most the {len(among)} points")
    dtype = torch.promote_types(torch.promote_types(z.dtype, among.dtype), torch.float32)
    return _nearest(z.to(dtype), among.to(dtype), n_neighbors, rows_at_once, leave_out_own=False)


def inverse_distance_mean(
    z: Tensor, known: Tensor, values: Tensor, n_neighbors: int = 10, rows_at_once: int = 256
) -> Tensor:
    """Values (N, E), float64, at points z: the mean of the nearest known points' values, each weighing 1 / distance.

    A point that coincides with a known one has that one's value, exactly (Shepard 1968). In float64, because what
    decides is how the smallest distances compare.

    Args:
        z: points (N, D).
        known: distinct points (M, D) whose values are known.
        values: theirs (M, E).
        n_neighbors: known points that a mean is taken over; all of them where there are fewer.
        rows_at_once: points worked on at once.

    >>> known, values = torch.tensor([[0.0], [4.0]]), torch.tensor([[0.0], [8.0]])
    >>> inverse_distance_mean(torch.tensor([[1.0], [4.0]]), known, values).tolist()
    [[2.0], [8.0]]
    """
    known, values = known.double(), values.double()
    means = []
    for some in torch.split(z.double(), rows_at_once):
        near = nearest_rows(some, known, min(n_neighbors, len(known)), rows_at_once).long()
        distances = torch.linalg.vector_norm(known[near] - some[:, None], dim=2)
        weights = torch.where((distances == 0).any(dim=1, keepdim=True), (distances == 0).double(), 1 / distances)
        means.append((weights[:, :, None] * values[near]).sum(dim=1) / weights.sum(dim=1, keepdim=True))
    return torch.cat(means)


def _nearest(z: Tensor, among: Tensor, n_neighbors: int, rows_at_once: int, leave_out_own: bool) -> Tensor:
    with torch.autocast(z.device.type, enabled=False):
        middle = among.mean(dim=0)
        z, among = z - middle, among - middle
        squares = among.square().sum(dim=1)
        found = []
        for first in range(0, len(z), rows_at_once):
            some = z[first : first + rows_at_once]
            distances = torch.addmm(squares, some, among.T, alpha=-2)  # |a|² is the same along a row
            if leave_out_own:
                own = torch.arange(len(some), device=z.device)
                distances[own, own + first] = torch.inf
            found.append(distances.topk(n_neighbors, dim=1, largest=False).indices.int())
    return torch.cat(found)
