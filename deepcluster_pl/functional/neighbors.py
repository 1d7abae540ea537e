"""Who is near whom: exact nearest neighbours of many points, some rows at a time."""

from __future__ import annotations

import torch
from torch import Tensor


def nearest_neighbors(z: Tensor, n_neighbors: int, rows_at_once: int = 1024) -> Tensor:
    """Row numbers (N, n_neighbors), int32, of the nearest other points by Euclidean distance, the nearest first.

    A point is never its own neighbour; one with a twin has the twin. Distances come from |a|² + |b|² - 2ab about the
    common mean: for ranking neighbours that is exact enough, and a matrix product makes it quick. The memory needed is
    that of rows_at_once · N distances.

    Args:
        z: points (N, D).
        n_neighbors: fewer than N.
        rows_at_once: points whose distances to all others are held at once.

    >>> nearest_neighbors(torch.tensor([[0.0], [1.0], [3.0]]), 1).tolist()
    [[1], [0], [1]]
    """
    if not 0 < n_neighbors < len(z):
        raise ValueError(f"n_neighbors={n_neighbors} should be at least 1 and less than the {len(z)} points")
    with torch.autocast(z.device.type, enabled=False):
        z = z.float() - z.float().mean(dim=0)
        squares = z.square().sum(dim=1)
        found = []
        for first in range(0, len(z), rows_at_once):
            some = z[first : first + rows_at_once]
            distances = torch.addmm(squares, some, z.T, alpha=-2)  # |a|² is the same along a row
            own = torch.arange(len(some), device=z.device)
            distances[own, own + first] = torch.inf
            found.append(distances.topk(n_neighbors, dim=1, largest=False).indices.int())
    return torch.cat(found)
