"""Shift and factor that bring features to a common range, measured on the fitted part only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.samples import Part

Scale = Literal["none", "unit", "standard"]


@dataclass(frozen=True)
class Scaling:
    """x becomes (x - shift) * factor, bytes being divided by 255 first; arrays of input_shape, or scalars."""

    shift: NDArray[np.float32] = field(default_factory=lambda: np.zeros((), dtype=np.float32))
    factor: NDArray[np.float32] = field(default_factory=lambda: np.ones((), dtype=np.float32))

    def apply(self, x: NDArray[Any]) -> NDArray[np.float32]:
        """Scale a batch (B, *input_shape)."""
        return (_as_float(x) - self.shift) * self.factor


def fit_scaling(scale: Scale, part: Part, rows_at_once: int) -> Scaling:
    """Measure a part in two passes that never hold more than a batch; a constant feature becomes 0."""
    if scale == "none":
        return Scaling()
    chunks = part.slices(rows_at_once)
    if scale == "unit":
        low = np.min([_as_float(part.take(rows)).min(axis=0) for rows in chunks], axis=0)
        high = np.max([_as_float(part.take(rows)).max(axis=0) for rows in chunks], axis=0)
        return Scaling(low, _inverse(high - low))
    mean = sum(_as_float(part.take(rows)).sum(axis=0, dtype=np.float64) for rows in chunks) / len(part)
    squares = (np.square(_as_float(part.take(rows)) - mean, dtype=np.float64).sum(axis=0) for rows in chunks)
    return Scaling(np.asarray(mean, dtype=np.float32), _inverse(np.sqrt(sum(squares) / len(part))))


def _as_float(x: NDArray[Any]) -> NDArray[np.float32]:
    x_float = x.astype(np.float32, copy=False)
    return x_float / np.float32(255) if x.dtype == np.uint8 else x_float


def _inverse(spread: NDArray[Any]) -> NDArray[np.float32]:
    safe = np.where(spread > 0, spread, 1)
    return (1 / safe).astype(np.float32)
