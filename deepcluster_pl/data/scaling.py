"""Scaling of features to a common range by a shift and a factor, measured on the fitted part only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.samples import Part

Scale = Literal["none", "unit", "standard"]


@dataclass(frozen=True)
class Scaling:
    """The map from x to (x - shift) * factor; bytes are divided by 255 first.

    Attributes:
        shift: array of input_shape, or a scalar.
        factor: array of input_shape, or a scalar.
    """

    shift: NDArray[np.float32] = field(default_factory=lambda: np.zeros((), dtype=np.float32))
    factor: NDArray[np.float32] = field(default_factory=lambda: np.ones((), dtype=np.float32))

    def apply(self, x: NDArray[Any]) -> NDArray[np.float32]:
        """Scale a batch (B, *input_shape)."""
        return (_to_float(x) - self.shift) * self.factor


def fit_scaling(scale: Scale, part: Part, rows_at_once: int) -> Scaling:
    """Measure the scaling of a part, holding no more than a batch in memory.

    Where features form blocks, such as the columns of zeros and ones of one category, `standard` gives each block the
    variance of its weight, and keeps the proportions within it.

    Args:
        scale: `unit` maps each feature to 0 ... 1, `standard` to mean 0 and variance 1, `none` changes nothing.
        part: the fitted samples.
        rows_at_once: rows in a batch.

    Returns:
        The scaling; it maps a constant feature to 0.
    """
    if scale == "none":
        return Scaling()
    chunks = part.slices(rows_at_once)
    if scale == "unit":
        low = np.min([_to_float(part.take(rows)).min(axis=0) for rows in chunks], axis=0)
        high = np.max([_to_float(part.take(rows)).max(axis=0) for rows in chunks], axis=0)
        factor = _safe_inverse(high - low)
        return Scaling(low, factor if part.blocks is None else factor * _unit_weights(*part.blocks))
    # The variance takes a second pass: the difference of two large sums would lose it to rounding.
    mean = sum(_to_float(part.take(rows)).sum(axis=0, dtype=np.float64) for rows in chunks) / len(part)
    squares = (np.square(_to_float(part.take(rows)) - mean, dtype=np.float64).sum(axis=0) for rows in chunks)
    variance = sum(squares) / len(part)
    if part.blocks is not None:
        blocks, weights = part.blocks
        variance = np.bincount(blocks, variance)[blocks] / weights
    return Scaling(np.asarray(mean, dtype=np.float32), _safe_inverse(np.sqrt(variance)))


def _unit_weights(blocks: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return factors (F,) by which two rows that differ in a whole block are as far apart as the block's weight."""
    # In a category of zeros and ones two rows differ in two places
    return np.sqrt(weights / np.minimum(np.bincount(blocks)[blocks], 2)).astype(np.float32)


def _to_float(x: NDArray[Any]) -> NDArray[np.float32]:
    """Convert samples to float32, bytes to 0 ... 1."""
    x_float = x.astype(np.float32, copy=False)
    return x_float / np.float32(255) if x.dtype == np.uint8 else x_float


def _safe_inverse(spread: NDArray[Any]) -> NDArray[np.float32]:
    """Return 1 / spread, and 1 where the spread is 0."""
    safe = np.where(spread > 0, spread, 1)
    return (1 / safe).astype(np.float32)
