"""A date: the days that went by since the first, and month, weekday or hour as points of a circle where they matter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.tables.casts import as_times
from deepcluster_pl.data.tables.encoders.base import (
    Encoder,
    Fact,
    cell_error,
    column_names,
    gap_weight,
    refuse_gaps,
    standardized_difference,
)
from deepcluster_pl.data.tables.frame import Frame, Text

_CYCLES = {"month": 12, "weekday": 7, "hour": 24}
_CYCLE_WEIGHT = 0.2
_UNEVEN = 0.15
_DAY = 86_400.0


class Date(Encoder):
    """A column of dates, or of dates with times.

    Args:
        column: its name.
        start: the earliest of the fitted rows, in seconds since 1970.
        median: days after it that gaps are filled with.
        cycles: parts of the date that are not spread evenly: month, weekday, hour.
        gap_share: share of gaps among the fitted rows.
    """

    kind = "date"

    def __init__(self, column: str, start: int, median: float, cycles: list[str], gap_share: float) -> None:
        if any(cycle not in _CYCLES for cycle in cycles):
            raise ValueError(f"found cycles {cycles}, expected {', '.join(_CYCLES)}")
        self.columns = [column]
        self.start = start
        self.median = median
        self.cycles = cycles
        self.gap_share = gap_share

    @classmethod
    def fit(cls, frame: Frame, rows: NDArray[np.int64], column: str) -> Date:
        """Measure the range, and which cycles matter, on the fitted rows."""
        times = as_times(frame.column(column))[rows]
        known = times[~np.isnat(times)].astype(np.int64)
        if not len(known):
            raise cell_error(frame, column, int(rows[0]) if len(rows) else 0, "no date", "dates such as 2024-01-31")
        start = int(known.min())
        cycles = [name for name in _CYCLES if _matters(name, known)]
        median = float(np.median((known - start) / _DAY))
        return cls(column, start, median, cycles, float(np.isnat(times).mean()))

    @property
    def features(self) -> list[str]:
        """Return the names: elapsed days, two for each cycle, and the mark of gaps."""
        name = self.columns[0]
        circles = [f"{name} {cycle} {wave}" for cycle in self.cycles for wave in ("sin", "cos")]
        return [f"{name} (days)", *circles, *([f"{name} is missing"] if self.gap_share > 0 else [])]

    @property
    def n_marks(self) -> int:
        """Number of features that mark gaps."""
        return int(self.gap_share > 0)

    def find_gaps(self, frame: Frame) -> NDArray[np.bool_]:
        """Return which cells (N, 1) are gaps."""
        return np.asarray(np.isnat(as_times(frame.column(self.columns[0]))))[:, None]

    @property
    def blocks(self) -> list[tuple[int, float]]:
        """Return one block for elapsed days, which weighs most, one for each cycle, one for the mark of gaps."""
        mark = gap_weight(self.gap_share) if self.gap_share > 0 else 0.0
        cycle = _CYCLE_WEIGHT if self.cycles else 0.0
        blocks = [(0, (1 - mark) * (1 - cycle))]
        for i in range(len(self.cycles)):
            blocks += [(1 + i, (1 - mark) * cycle / len(self.cycles))] * 2
        return blocks + ([(1 + len(self.cycles), mark)] if self.gap_share > 0 else [])

    def encode(self, frame: Frame, refuses_gaps: bool) -> NDArray[np.float64]:
        """Return days and circles; a gap gets the median day and the middle of the circles."""
        name = self.columns[0]
        column = frame.column(name)
        times = as_times(column)
        is_gap = np.isnat(times)
        if isinstance(column, Text):
            wrong = np.flatnonzero(is_gap & (column.codes >= 0))
            if len(wrong) > 0.1 * len(times):
                found = repr(column.levels[column.codes[wrong[0]]])
                raise cell_error(frame, name, int(wrong[0]), found, "a date such as 2024-01-31")
        if refuses_gaps:
            refuse_gaps(frame, name, is_gap)
        seconds = np.where(is_gap, np.datetime64(self.start, "s"), times).astype(np.int64)
        out = [np.where(is_gap, self.median, (seconds - self.start) / _DAY)]
        for cycle in self.cycles:
            angle = 2 * np.pi * _phase(cycle, seconds) / _CYCLES[cycle]
            out += [np.where(is_gap, 0.0, np.sin(angle)), np.where(is_gap, 0.0, np.cos(angle))]
        return np.stack([*out, *([is_gap.astype(np.float64)] if self.gap_share > 0 else [])], axis=1)

    def describe(self, x: NDArray[np.float64], x_of_all: NDArray[np.float64]) -> list[Fact]:
        """Return the mean day."""
        days = [np.datetime64(int(self.start + _DAY * float(values[:, 0].mean())), "s") for values in (x, x_of_all)]
        texts = [str(day.astype("datetime64[D]")) for day in days]
        difference = float(standardized_difference(x, x_of_all)[0])
        words = f"{'late' if difference > 0 else 'early'} {self.columns[0]}"
        return [Fact(self.columns[0], texts[0], texts[1], difference, words)]

    def to_json(self) -> dict[str, Any]:
        """Return what the encoder knows."""
        return {
            "kind": self.kind, "columns": self.columns, "start": self.start, "median": self.median,
            "cycles": self.cycles, "gap_share": self.gap_share,
        }  # fmt: skip

    @classmethod
    def from_json(cls, node: Mapping[str, Any]) -> Date:
        """Return the encoder that `to_json` described."""
        start, median, gap_share = int(node["start"]), float(node["median"]), float(node["gap_share"])
        if abs(start) > 10**11:
            raise ValueError(f"found the start {start}, expected seconds since 1970")
        return cls(column_names(node)[0], start, median, [str(cycle) for cycle in node["cycles"]], gap_share)


def _phase(cycle: str, seconds: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return month (0 ... 11), weekday (0 ... 6) or hour (0 ... 23) of times."""
    if cycle == "hour":
        return (seconds // 3600 % 24).astype(np.float64)
    if cycle == "weekday":
        return (seconds // int(_DAY) % 7).astype(np.float64)
    return (seconds.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) % 12).astype(np.float64)


def _matters(cycle: str, seconds: NDArray[np.int64]) -> bool:
    """Return whether a part of the date varies, and is spread less evenly than chance would have it (Cramér's V)."""
    span = (seconds.max() - seconds.min()) / _DAY
    if span < {"hour": 1, "weekday": 14, "month": 730}[cycle]:
        return False
    counts = np.bincount(_phase(cycle, seconds).astype(np.int64), minlength=_CYCLES[cycle])
    if (counts > 0).sum() < 2:
        return False
    expected = len(seconds) / _CYCLES[cycle]
    v = np.sqrt(float(((counts - expected) ** 2 / expected).sum()) / len(seconds) / (_CYCLES[cycle] - 1))
    chance = np.sqrt(1 / len(seconds))
    return bool(v > max(_UNEVEN, 2 * chance))
