"""Numbers, all neighboring columns at once: gaps get the median, and a column of their own that marks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.tables.casts import as_numbers
from deepcluster_pl.data.tables.encoders.base import (
    Encoder,
    Fact,
    cell_error,
    column_names,
    gap_weight,
    readable,
    refuse_gaps,
    standardized_difference,
)
from deepcluster_pl.data.tables.frame import Frame, Text, ranges_of

_LARGEST = float(np.finfo(np.float32).max)


class Numbers(Encoder):
    """Columns of numbers, or of yes and no as 1 and 0.

    Args:
        columns: their names.
        medians: what gaps are filled with.
        offsets: subtracted from numbers that float32 could not tell apart, such as times in seconds; 0 for most.
        gaps: share of gaps among the fitted rows; a column with any gets a feature that marks them.
        words: cells of each column that are no numbers and were taken for gaps.
        kinds: `number` or `yes_no` for each column.
    """

    kind = "number"

    def __init__(
        self, columns: list[str], medians: Sequence[float], offsets: Sequence[float], gaps: Sequence[float],
        words: Mapping[str, list[str]], kinds: Sequence[str],
    ) -> None:  # fmt: skip
        self.columns = columns
        self.medians = np.array(medians, dtype=np.float64)
        self.offsets = np.array(offsets, dtype=np.float64)
        self.gaps = np.array(gaps, dtype=np.float64)
        self.words = {name: list(cells) for name, cells in words.items()}
        self.kinds = list(kinds)
        if not len(self.medians) == len(self.offsets) == len(self.gaps) == len(self.kinds) == len(columns):
            raise ValueError("medians, offsets, gaps and kinds do not fit the columns")
        self.marked = np.flatnonzero(self.gaps > 0)

    @classmethod
    def fit(cls, frame: Frame, rows: NDArray[np.int64], columns: list[str], kinds: list[str]) -> Numbers:
        """Measure medians, offsets and gaps on the fitted rows."""
        words: dict[str, list[str]] = {}
        for name in columns:
            column = frame.column(name)
            if isinstance(column, Text):
                is_word = np.isnan(
                    as_numbers(Text(np.arange(len(column.levels), dtype=np.int32), column.levels), frame.decimal)
                )
                if is_word.any():
                    words[name] = [str(word)[:80] for word in column.levels[is_word][:20]]
        x = cls._raw(frame, columns)
        x = x if len(rows) == len(x) else x[rows]  # in any order, the measures are the same
        with np.errstate(over="ignore", invalid="ignore"):
            with_gaps = np.flatnonzero(np.isnan(x.sum(axis=0)))  # one pass; infinities are refused later
        gaps = np.zeros(len(columns))
        gaps[with_gaps] = np.isnan(x[:, with_gaps]).mean(axis=0)
        with_gaps = np.flatnonzero(gaps > 0)
        medians = np.zeros(len(columns))
        medians[with_gaps] = np.nanmedian(x[:, with_gaps], axis=0) if len(with_gaps) else 0
        # Medians of whole columns are needed for gaps of new samples
        whole = np.flatnonzero(gaps == 0)
        medians[whole] = _medians(x, whole)
        places = frame.positions(columns)
        low, high = ranges_of(x) if places is None else (values[places] for values in frame.ranges(rows))
        with np.errstate(over="ignore", invalid="ignore"):
            spacing = np.spacing(np.maximum(np.abs(low), np.abs(high)).astype(np.float32)).astype(np.float64)
            offsets = np.where((high > low) & (spacing > 1e-3 * (high - low)), medians, 0.0)
        return cls(columns, medians.tolist(), offsets.tolist(), gaps.tolist(), words, kinds)

    @staticmethod
    def _raw(frame: Frame, columns: list[str]) -> NDArray[np.float64]:
        """Return the columns (N, F) as they are; a view of the whole table where these are all of its numbers."""
        places = frame.positions(columns)
        if places is not None:
            is_run = bool((np.diff(places) == 1).all())
            return frame.matrix[:, places[0] : places[-1] + 1] if is_run else frame.matrix[:, places]
        return np.stack([as_numbers(frame.column(name), frame.decimal) for name in columns], axis=1)

    @property
    def features(self) -> list[str]:
        """Return the names of the columns, then those of the marks of gaps."""
        return [*self.columns, *(f"{self.columns[j]} is missing" for j in self.marked)]

    @property
    def n_marks(self) -> int:
        """Number of features that mark gaps."""
        return len(self.marked)

    @property
    def column_of_feature(self) -> list[int]:
        """Return for each column itself."""
        return list(range(len(self.columns)))

    def find_gaps(self, frame: Frame) -> NDArray[np.bool_]:
        """Return which cells (N, columns) are gaps."""
        return np.isnan(self._raw(frame, self.columns))

    @property
    def blocks(self) -> list[tuple[int, float]]:
        """Return a block for each feature; the mark of gaps takes its weight from its column."""
        marks = [gap_weight(float(self.gaps[j])) for j in self.marked]
        values = [1.0] * len(self.columns)
        for j, weight in zip(self.marked, marks, strict=True):
            values[j] = 1 - weight
        return list(enumerate([*values, *marks]))

    def encode(self, frame: Frame, refuses_gaps: bool) -> NDArray[np.float64]:
        """Return numbers with gaps filled, and marks of gaps."""
        x = self._raw(frame, self.columns)
        with np.errstate(over="ignore", invalid="ignore"):
            whole = not np.isnan(x.sum())
        if whole and not self.offsets.any() and not len(self.marked):
            return x
        is_gap = np.isnan(x)
        has_gap = is_gap.any(axis=0)
        for j in np.flatnonzero(has_gap).tolist():
            self._check_words(frame, j, is_gap[:, j])
            if refuses_gaps:
                refuse_gaps(frame, self.columns[j], is_gap[:, j])
        if not has_gap.any() and not self.offsets.any() and not len(self.marked):
            return x
        filled = np.where(is_gap, self.medians, x) - self.offsets
        return np.hstack([filled, is_gap[:, self.marked]]) if len(self.marked) else filled

    def check(self, frame: Frame) -> None:
        """Raise `UserError` for the first number that is infinite or too large."""
        x = self._raw(frame, self.columns)
        with np.errstate(invalid="ignore"):
            highest = np.fmax.reduce(x, axis=0, initial=0)
            lowest = np.fmin.reduce(x, axis=0, initial=0)
        wrong = np.flatnonzero((highest > _LARGEST) | (lowest < -_LARGEST))
        if len(wrong):
            j = int(wrong[0])
            is_wrong = np.abs(x[:, j]) > _LARGEST
            row = int(np.flatnonzero(is_wrong)[0])
            total = int((np.abs(x[:, wrong]) > _LARGEST).sum())
            others = f" ({total} such cells in all)" if total > 1 else ""
            found = f"{x[row, j]:g}{others}"
            raise cell_error(frame, self.columns[j], row, found, "a number that float32 can hold")

    def _check_words(self, frame: Frame, j: int, is_gap: NDArray[np.bool_]) -> None:
        """Raise `UserError` for text where a number should be, unless it was taken for a gap from the beginning."""
        name = self.columns[j]
        column = frame.column(name)
        if not isinstance(column, Text):
            return
        known = set(self.words.get(name, ()))
        strange = np.array([cell[:80] not in known for cell in column.levels.tolist()] + [False])
        wrong = np.flatnonzero(is_gap & strange[column.codes])
        if len(wrong):
            row = int(wrong[0])
            raise cell_error(frame, name, row, repr(column.levels[column.codes[row]]), "a number")

    def describe(self, x: NDArray[np.float64], x_of_all: NDArray[np.float64]) -> list[Fact]:
        """Return the means of the columns."""
        n = len(self.columns)
        mean, mean_of_all = x[:, :n].mean(axis=0), x_of_all[:, :n].mean(axis=0)
        differences = standardized_difference(x[:, :n], x_of_all[:, :n])
        facts = []
        for j in range(n):
            value, of_all = float(mean[j] + self.offsets[j]), float(mean_of_all[j] + self.offsets[j])
            texts = [f"{v:.0%} yes" if self.kinds[j] == "yes_no" else readable(v) for v in (value, of_all)]
            more = bool(differences[j] > 0)
            pair = ("", "not ") if self.kinds[j] == "yes_no" else ("high ", "low ")
            words = f"{pair[not more]}{self.columns[j]}"
            facts.append(Fact(self.columns[j], texts[0], texts[1], float(differences[j]), words))
        return facts

    def to_json(self) -> dict[str, Any]:
        """Return what the encoder knows."""
        return {
            "kind": self.kind, "columns": self.columns, "medians": self.medians.tolist(),
            "offsets": self.offsets.tolist(), "gaps": self.gaps.tolist(), "words": self.words, "kinds": self.kinds,
        }  # fmt: skip

    @classmethod
    def from_json(cls, node: Mapping[str, Any]) -> Numbers:
        """Return the encoder that `to_json` described."""
        return cls(column_names(node), node["medians"], node["offsets"], node["gaps"], node["words"], node["kinds"])


def _medians(x: NDArray[np.float64], columns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return medians of columns without gaps, of at most 10,000 rows each: exact enough to fill a gap with."""
    step = max(1, len(x) // 10_000)
    out = np.empty(len(columns))
    for start in range(0, len(columns), 512):
        out[start : start + 512] = np.median(x[::step, columns[start : start + 512]], axis=0)
    return out
