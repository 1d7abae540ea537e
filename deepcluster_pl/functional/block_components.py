"""Compute principal components of each block of features, by the covariance of all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class WeightedBlock(NamedTuple):
    """One block of features.

    Attributes:
        length: number of its features.
        n_components: number of its components.
        weight: standard deviation of all of them together.
        is_scaled: whether its features count as the data's scaling leaves them.
    """

    length: int
    n_components: int
    weight: float
    is_scaled: bool


def block_components(
    covariance: NDArray[np.float64], blocks: Sequence[WeightedBlock], whitening: float, unscaling: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Compute the map from features to the components of all blocks, each block of the variance that it weighs.

    Args:
        covariance: covariance (F, F) of the features.
        blocks: of F features in total.
        whitening: each component is divided by its standard deviation to this power.
        unscaling: factor (F,) that each feature is multiplied by first.

    Returns:
        The map (C, F): one row for each component.
    """
    parts, first = [], 0
    covariance = covariance * np.outer(unscaling, unscaling)
    for block in blocks:
        # Principal components of the block's own features
        own = slice(first, first + block.length)
        variance, axes = principal_axes(covariance[own, own], block.n_components)
        # Whitening, except of components without variance, which are left out
        deviation = np.sqrt(variance)
        kept = deviation > 1e-6 * max(deviation.max(initial=0.0), 1e-12)
        scale = np.where(kept, np.where(kept, deviation, 1.0) ** -whitening, 0.0)
        # The total variance is the square of the block's weight
        total = np.sqrt((variance * scale**2).sum())
        part = np.zeros((len(axes), len(covariance)))
        part[:, own] = axes * (block.weight * scale / (total if total > 0 else 1.0))[:, None] * unscaling[own]
        parts.append(part)
        first += block.length
    return np.concatenate(parts)


def principal_axes(covariance: NDArray[np.float64], n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the directions of the largest variances.

    Args:
        covariance: covariance (F, F) of the features.
        n: number of directions, at most F.

    Returns:
        The n largest variances and their axes (n, F), each with its largest entry positive.
    """
    values, vectors = np.linalg.eigh(covariance)
    values, axes = np.maximum(values[::-1][:n], 0), vectors.T[::-1][:n]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    return values, axes * np.where(largest < 0, -1.0, 1.0)


def moments(
    make: Callable[[NDArray[np.int64]], NDArray[np.float32]], chunks: Sequence[NDArray[np.int64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute mean and covariance of rows, in two passes with one chunk in memory at a time.

    Args:
        make: returns the features (B, F) of some rows.
        chunks: row numbers of each chunk.

    Returns:
        Mean (F,) and covariance (F, F), float64.
    """
    n = sum(map(len, chunks))
    mean = np.asarray(sum(make(rows).sum(axis=0, dtype=np.float64) for rows in chunks)) / n
    products: NDArray[np.float64] = np.zeros((len(mean), len(mean)))
    for rows in chunks:
        centered = make(rows) - mean
        products += centered.T @ centered
    return mean, products / n
