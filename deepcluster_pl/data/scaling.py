"""Scaling of features to a common range by a shift and a factor, measured on the fitted part only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.samples import Part

Scale = Literal["none", "unit", "standard", "auto"]
_NEARLY = 0.01
_UNIT_FEATURES = 16


@dataclass(frozen=True)
class Scaling:
    """The map from x to (x - shift) * factor; bytes are divided by 255 first.

    Attributes:
        shift: array of input_shape, or a scalar.
        factor: array of input_shape, or a scalar.
        remark: what `auto` left as it is, and why; empty where there is nothing to say.
    """

    shift: NDArray[np.float32] = field(default_factory=lambda: np.zeros((), dtype=np.float32))
    factor: NDArray[np.float32] = field(default_factory=lambda: np.ones((), dtype=np.float32))
    remark: str = ""

    def apply(self, x: NDArray[Any]) -> NDArray[np.float32]:
        """Scale a batch (B, *input_shape)."""
        return (_to_float(x) - self.shift) * self.factor


def fit_scaling(scale: Scale, part: Part, rows_at_once: int) -> Scaling:
    """Measure the scaling of a part, holding no more than a batch in memory.

    Where features form blocks, such as the columns of zeros and ones of one category, `standard` gives each block the
    variance of its weight, and keeps the proportions within it.

    Args:
        scale: `unit` maps each feature to 0 ... 1, `standard` to mean 0 and variance 1, `none` changes nothing. `auto`
            is `standard`, but leaves what is scaled already: columns of zeros and ones, columns of mean 0 and variance
            1, and rows of length 1.
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
    shift, factor = np.asarray(mean, dtype=np.float32), _safe_inverse(np.sqrt(variance))
    if scale == "auto" and part.blocks is None and shift.ndim == 1:
        return _without_second_scaling(Scaling(shift, factor), variance > 0, part, chunks)
    return Scaling(shift, factor)


def _without_second_scaling(
    scaling: Scaling, varies: NDArray[np.bool_], part: Part, chunks: list[NDArray[np.int64]]
) -> Scaling:
    """Return a scaling that leaves rows of length 1, columns of zeros and ones, and standardized columns."""
    n_features = len(scaling.shift)
    has_unit_rows = n_features >= _UNIT_FEATURES and all(
        bool((np.abs(np.linalg.norm(x, axis=1) - 1) < _NEARLY).all())
        for x in (_to_float(part.take(rows)) for rows in chunks)
    )
    if has_unit_rows:
        return Scaling(remark="rows have length 1 and are left as they are")
    binary = varies.copy()
    for rows in chunks:
        x = _to_float(part.take(rows))
        binary &= ((x == 0) | (x == 1)).all(axis=0)
    standard = (np.abs(scaling.shift) < _NEARLY) & (np.abs(scaling.factor - 1) < _NEARLY) & varies & ~binary
    kept = binary | standard
    reasons = [
        f"{count} of zeros and ones" if what is binary else f"{count} of mean 0 and variance 1"
        for what in (binary, standard)
        if (count := int(what.sum()))
    ]
    remark = f"left as they are: {' and '.join(reasons)}, of {n_features} columns" if reasons else ""
    shift, factor = np.where(kept, 0, scaling.shift), np.where(kept, 1, scaling.factor)
    return Scaling(shift.astype(np.float32), factor.astype(np.float32), remark)


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
