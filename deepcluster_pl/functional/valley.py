"""The valley of density between two sets of points: two groups have one between them, two halves of a group do not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_RIDGE = 0.1
_PLACES = 33


def valley_floor(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the least density between two sets of points, as a share of that at their medians.

    Both are projected onto Fisher's discriminant axis, on which they are farthest apart. The density of all points
    there is estimated with a Gaussian kernel of Silverman's width, at places between the two medians.

    Args:
        first: points (N, D).
        second: points (M, D).

    Returns:
        The share, 0 to 1. It is 0 where there is an empty space between the two, and 1 where there is no valley.

    >>> x = np.random.default_rng(0).normal(size=(400, 2))
    >>> is_left = x[:, 0] < 0
    >>> [round(valley_floor(*pair)) for pair in ((x[is_left], x[~is_left]), (x, x + [9.0, 0.0]))]
    [1, 0]
    """
    # Fisher's axis: the difference of the means, in units of the covariance within
    within = [points - points.mean(axis=0) for points in (first, second)]
    covariance = sum(points.T @ points for points in within) / (len(first) + len(second))
    covariance = covariance + _RIDGE * max(float(np.trace(covariance)) / len(covariance), 1e-12) * np.eye(
        len(covariance)
    )
    axis = np.linalg.solve(covariance, first.mean(axis=0) - second.mean(axis=0))
    here, there = first @ axis, second @ axis
    both = np.concatenate([here, there])
    # Silverman's width of a kernel
    low, high = np.percentile(both, [25, 75])
    width = 1.06 * min(float(both.std()), float(high - low) / 1.34) * len(both) ** -0.2
    if not width > 0:
        return 0.0
    # Density from one median to the other
    places = np.linspace(np.median(there), np.median(here), _PLACES)
    density = np.exp(-0.5 * ((places[:, None] - both) / width) ** 2).sum(axis=1)
    return float(density.min() / min(density[0], density[-1]))
