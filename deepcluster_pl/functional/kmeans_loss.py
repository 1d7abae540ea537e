"""The objective of k-means as a loss: the distance to the nearest center, or to all centers under a softmax."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from deepcluster_pl.functional.assignment import squared_distances


def kmeans_loss(z: Tensor, centers: Tensor) -> Tensor:
    """Compute the mean over samples of the squared distance |z - μ|² to the nearest center, summed over D.

    It is computed in float32 or better whatever the autocast state.

    Args:
        z: embeddings (N, D).
        centers: cluster centers μ (K, D).

    Returns:
        The loss, in the square of the embeddings' unit.

    >>> kmeans_loss(torch.tensor([[0.0], [5.0]]), torch.tensor([[1.0], [3.0]])).item()
    2.5
    """
    return _distances(z, centers).min(dim=1).values.mean()


def soft_kmeans_loss(z: Tensor, centers: Tensor, inverse_temperature: float) -> Tensor:
    """Compute the mean over samples of Σ_k |z - μ_k|² · softmax_k(-a |z - μ_k|²), with a the inverse temperature.

    As a grows, the softmax becomes the choice of the nearest center and the sum becomes the objective of k-means. At 0
    every center weighs the same (Moradi Fard, Thonet, Gaussier 2018). Distances are summed over D. The softmax itself
    subtracts the nearest one, so nothing overflows. It is computed in float32 or better whatever the autocast state.

    Args:
        z: embeddings (N, D).
        centers: cluster centers μ (K, D).
        inverse_temperature: a, 0 or above, in one over the square of the embeddings' unit.

    Returns:
        The loss, in the square of the embeddings' unit.

    >>> z, centers = torch.zeros(1, 1), torch.tensor([[1.0], [3.0]])
    >>> soft_kmeans_loss(z, centers, 0.0).item(), soft_kmeans_loss(z, centers, 1000.0).item()
    (5.0, 1.0)
    """
    distances = _distances(z, centers)
    return (distances * torch.softmax(-inverse_temperature * distances, dim=1)).sum(dim=1).mean()


def annealed_inverse_temperature(first: float, n: int) -> float:
    """Compute the n-th term of a_1 = first, a_n = 2^(1 / ln(n)²) · a_{n-1}: growing fast, then ever more slowly.

    This is the schedule of Moradi Fard, Thonet, Gaussier 2018, with 40 terms from 0.1. The exponent counts the term
    that it makes; counting the term before would begin with a division by ln(1)² = 0.

    Args:
        first: a_1, the first inverse temperature.
        n: number of the term, from 1.

    Returns:
        The inverse temperature a_n, in the unit of `first`.

    >>> [round(annealed_inverse_temperature(0.1, n), 3) for n in (1, 2, 3, 40)]
    [0.1, 0.423, 0.752, 28.133]
    """
    return float(first * 2.0 ** sum(math.log(k) ** -2 for k in range(2, n + 1)))


def _distances(z: Tensor, centers: Tensor) -> Tensor:
    """Compute squared distances (N, K) in float32 or better."""
    with torch.autocast(z.device.type, enabled=False):
        if z.dtype in (torch.float16, torch.bfloat16):
            z = z.float()
        return squared_distances(z, centers.to(z.dtype))
