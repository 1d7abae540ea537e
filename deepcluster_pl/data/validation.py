"""Validation of a table before anything is trained on it; every error names the place."""

from __future__ import annotations

from collections import Counter

import numpy as np

from deepcluster_pl.data.mapped_files import check_whole
from deepcluster_pl.data.samples import Table
from deepcluster_pl.errors import UserError

_LARGEST = float(np.finfo(np.float32).max)
_NUMBERS_AT_ONCE = 2**22


def check_table(table: Table) -> None:
    """Raise `UserError` if samples are missing, not numbers, or not finite, or if ids and labels do not fit."""
    x, n = table.x, table.n
    if n == 0:
        raise UserError("found 0 samples, expected at least 1")
    if x.ndim < 2 or 0 in x.shape:
        raise UserError(f"samples have shape {tuple(x.shape)}, expected (n_samples, n_features) or images")
    if x.dtype.kind not in "buif":
        raise UserError(f"samples have type {x.dtype}, expected numbers")
    if x.dtype.kind == "f":
        _check_finite(table)
    if x.ndim == 2 and x.dtype.itemsize >= 4 and x.dtype != np.float32:
        _check_resolution(table)
    if len(table.ids) != n:
        raise UserError(f"found {len(table.ids)} ids for {n} samples")
    counts = Counter() if isinstance(table.ids, range) else Counter(table.ids)
    repeated = [str(name) for name, count in counts.items() if count > 1]
    if repeated:
        raise UserError(f"{len(repeated)} ids occur more than once, the first is {repeated[0]!r}; ids must differ")
    if table.labels is not None and np.shape(table.labels) != (n,):
        raise UserError(f"labels have shape {np.shape(table.labels)}, expected ({n},) for {n} samples")


def _check_finite(table: Table) -> None:
    """Raise `UserError` for values that float32 cannot hold: count them all, and name the first."""
    count, first = 0, None
    step = max(1, _NUMBERS_AT_ONCE // int(np.prod(table.x.shape[1:])))
    for start in range(0, len(table.x), step):
        check_whole(table.x)
        chunk = np.asarray(table.x[start : start + step])
        largest = min(_LARGEST, float(np.finfo(chunk.dtype).max))
        bad = ~(np.abs(chunk) <= largest)  # NaN compares as False
        if bad.any():
            count += int(bad.sum())
            first = first if first is not None else (start, np.argwhere(bad)[0])
    if first is not None:
        start, position = first
        value = table.x[(start + position[0], *position[1:])]
        column = f", position {tuple(int(i) for i in position[1:])}" if len(position) > 2 else f", column {position[1]}"
        raise UserError(
            f"found {count} values that are NaN, infinite or too large for float32; the first, {value}, is in row "
            f"{start + position[0]} (id {table.ids[start + position[0]]}){column}; remove or fill them"
        )


def _check_resolution(table: Table) -> None:
    """Raise `UserError` for columns whose values float32 cannot tell apart, such as times in seconds."""
    step = max(1, _NUMBERS_AT_ONCE // table.x.shape[1])
    check_whole(table.x)
    chunks = [np.asarray(table.x[start : start + step]) for start in range(0, len(table.x), step)]
    low = np.min([chunk.min(axis=0) for chunk in chunks], axis=0).astype(np.float64)
    high = np.max([chunk.max(axis=0) for chunk in chunks], axis=0).astype(np.float64)
    # Distance between neighboring float32 numbers at the far end of each column, against the column's range.
    spacing = np.spacing(np.maximum(np.abs(low), np.abs(high)).astype(np.float32)).astype(np.float64)
    blurred = np.flatnonzero((high > low) & (spacing > 1e-3 * (high - low)))
    if len(blurred):
        column = int(blurred[0])
        raise UserError(
            f"column {column} runs from {low[column]:.10g} to {high[column]:.10g}, which float32 blurs to steps of "
            f"{spacing[column]:.3g}; subtract a constant from it, or leave it out"
        )
