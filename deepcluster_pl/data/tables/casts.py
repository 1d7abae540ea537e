"""Read a column as numbers, as text, as times or as vectors, whichever way a format stored it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.tables.cells import to_dates, to_numbers, to_yes_no
from deepcluster_pl.data.tables.frame import Column, Text

_LARGEST_DAY = 30_000_000
_VECTOR = re.compile(r"\s*[\[(]([^\[\]()]*)[\])]\s*")
_MOST_VALUES = 100_000


def as_numbers(column: Column, decimal: str) -> NDArray[np.float64]:
    """Return a column as numbers (N,); NaN where a cell is a gap or no number."""
    if isinstance(column, Text):
        yes_no = to_yes_no(column.levels)
        numbers = to_numbers(column.levels, decimal) if yes_no is None else yes_no
        return np.append(numbers, np.nan)[column.codes]
    if column.dtype.kind == "M":
        return np.full(len(column), np.nan)
    return column.astype(np.float64, copy=False)


def as_text(column: Column) -> Text:
    """Return a column as text; whole numbers are written without a point."""
    if isinstance(column, Text):
        return column
    if column.dtype.kind == "M":
        known, codes = np.unique(column, return_inverse=True)
        levels = known.astype("datetime64[s]").astype(str).astype(object)
        codes = np.where(np.isnat(column), -1, codes)
    else:
        known, codes = np.unique(column, return_inverse=True)
        levels = np.array([f"{value:.15g}" for value in known.tolist()], dtype=object)
        codes = np.where(np.isnan(column), -1, codes)
    return Text(codes.astype(np.int32), levels)


def as_times(column: Column) -> NDArray[np.datetime64]:
    """Return a column as times (N,) in seconds; NaT where a cell is a gap or no time.

    Numbers are taken for 20240131, or else for seconds or milliseconds since 1970.
    """
    if isinstance(column, Text):
        times = to_dates(column.levels)
        if times is None:
            return np.full(len(column.codes), np.datetime64("NaT"), dtype="datetime64[s]")
        return np.append(times, np.datetime64("NaT"))[column.codes]
    if column.dtype.kind == "M":
        return column.astype("datetime64[s]")
    known = column[np.isfinite(column)]
    if len(known) and known.min() >= 1_000_01_01 and known.max() < _LARGEST_DAY:
        levels = np.array([f"{value:08.0f}" for value in np.nan_to_num(column).tolist()])
        return np.array([_day(text) for text in levels.tolist()], dtype="datetime64[s]")
    per_second = 1000 if len(known) and np.abs(known).max() > 1e11 else 1
    seconds = np.nan_to_num(np.clip(column / per_second, -1e11, 1e11)).astype(np.int64).astype("datetime64[s]")
    return np.where(np.isfinite(column), seconds, np.datetime64("NaT"))


def _day(text: str) -> np.datetime64:
    """Return the day that eight digits name, or NaT."""
    try:
        return np.datetime64(f"{text[:4]}-{text[4:6]}-{text[6:8]}", "s")
    except ValueError:
        return np.datetime64("NaT", "s")


def as_vectors(column: Column) -> NDArray[np.float64] | None:
    """Return a column of lists of one length as (N, D), gaps as NaN; None where it is none."""
    if not isinstance(column, Text):
        return column.astype(np.float64, copy=False) if column.ndim == 2 else None
    parsed: list[Any] = []
    for cell in column.levels.tolist():
        match = _VECTOR.fullmatch(cell)
        if match is None:
            return None
        try:
            parsed.append([float(value) for value in re.split(r"[,;\s]+", match[1].strip())[:_MOST_VALUES]])
        except ValueError:
            return None
        if len(parsed[-1]) != len(parsed[0]) or len(parsed[-1]) < 2:
            return None
    if not parsed:
        return None
    return np.vstack([np.array(parsed), np.full((1, len(parsed[0])), np.nan)])[column.codes]
