"""A category: a column of zeros and ones for each frequent level, one for all rare ones, one that marks gaps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.tables.casts import as_text
from deepcluster_pl.data.tables.encoders.base import Encoder, Fact, column_names, gap_weight, refuse_gaps
from deepcluster_pl.data.tables.frame import Frame

_MOST_LEVELS, _RARE_SHARE, _MAX_LEVEL = 50, 0.005, 200
_OTHER = "(other)"


class Category(Encoder):
    """A column of categories.

    Args:
        column: its name.
        levels: frequent levels, the most frequent first.
        shares: share of each level among the fitted rows that hold something, then that of all others.
        gap_share: share of gaps among the fitted rows.
    """

    kind = "category"

    def __init__(self, column: str, levels: list[str], shares: list[float], gap_share: float) -> None:
        if len(shares) != len(levels) + 1 or not levels:
            raise ValueError("levels and their shares do not fit together")
        self.columns = [column]
        self.levels = levels
        self.shares = shares
        self.gap_share = gap_share
        self._has_other = shares[-1] > 0

    @classmethod
    def fit(cls, frame: Frame, rows: NDArray[np.int64], column: str) -> Category:
        """Count the levels of the fitted rows."""
        codes, levels = as_text(frame.column(column)).take(rows)
        counts = np.bincount(codes[codes >= 0], minlength=len(levels))
        n = max(1, int(counts.sum()))
        # Sorted by how often they occur, then by name
        order = sorted(range(len(levels)), key=lambda i: (-counts[i], levels[i]))
        enough = max(2, int(np.ceil(_RARE_SHARE * n))) if n >= 20 else 1
        frequent = [i for i in order if counts[i] >= enough][:_MOST_LEVELS]
        frequent = frequent or [i for i in order if counts[i] > 0][:_MOST_LEVELS]
        shares = [float(counts[i] / n) for i in frequent]
        rest = 1 - sum(counts[i] for i in frequent) / n
        gap_share = float((codes < 0).mean()) if len(codes) else 0.0
        return cls(column, [str(levels[i])[:_MAX_LEVEL] for i in frequent], [*shares, float(max(0.0, rest))], gap_share)

    @property
    def features(self) -> list[str]:
        """Return a name for each level, for the others, and for the mark of gaps."""
        name = self.columns[0]
        marks = [f"{name} is missing"] if self.gap_share > 0 else []
        return [f"{name}={level}" for level in self.levels] + [f"{name}={_OTHER}"] * self._has_other + marks

    @property
    def n_marks(self) -> int:
        """Number of features that mark gaps."""
        return int(self.gap_share > 0)

    def find_gaps(self, frame: Frame) -> NDArray[np.bool_]:
        """Return which cells (N, 1) are gaps."""
        return (as_text(frame.column(self.columns[0])).codes < 0)[:, None]

    @property
    def blocks(self) -> list[tuple[int, float]]:
        """Return one block for all levels, and one for the mark of gaps."""
        weight = gap_weight(self.gap_share) if self.gap_share > 0 else 0.0
        marks = [(1, weight)] if self.gap_share > 0 else []
        return [(0, 1 - weight)] * (len(self.levels) + self._has_other) + marks

    def encode(self, frame: Frame, refuses_gaps: bool) -> NDArray[np.float64]:
        """Return zeros and ones; a gap, and a level that was never seen, get the shares of the fitted rows."""
        codes, levels = as_text(frame.column(self.columns[0]))
        if refuses_gaps:
            refuse_gaps(frame, self.columns[0], codes < 0)
        n_columns = len(self.levels) + self._has_other
        known = {level: k for k, level in enumerate(self.levels)}
        other = len(self.levels) if self._has_other else n_columns
        # One row for each level, and a last one for gaps
        table = np.zeros((len(levels) + 1, n_columns))
        neutral = np.array(self.shares[:n_columns])
        unknown = []
        for i, level in enumerate(levels.tolist()):
            k = known.get(level[:_MAX_LEVEL], other)
            if k < n_columns:
                table[i, k] = 1
            else:
                table[i] = neutral
                unknown.append(level)
        table[-1] = neutral
        x = table[codes]
        return np.hstack([x, (codes < 0)[:, None]]) if self.gap_share > 0 else x

    def describe(self, x: NDArray[np.float64], x_of_all: NDArray[np.float64]) -> list[Fact]:
        """Return the level whose share differs most."""
        names = [*self.levels, *([_OTHER] * self._has_other)]
        share, share_of_all = x[:, : len(names)].mean(axis=0), x_of_all[:, : len(names)].mean(axis=0)
        spread = np.sqrt(np.maximum(share_of_all * (1 - share_of_all), 1e-12))
        difference = (share - share_of_all) / spread
        k = int(np.argmax(np.abs(difference)))
        return [
            Fact(
                self.columns[0], f"{names[k]} {share[k]:.0%}", f"{names[k]} {share_of_all[k]:.0%}",
                float(difference[k]), f"{self.columns[0]} {'' if difference[k] > 0 else 'not '}{names[k]}",
            )
        ]  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """Return what the encoder knows."""
        return {
            "kind": self.kind, "columns": self.columns, "levels": self.levels, "shares": self.shares,
            "gap_share": self.gap_share,
        }  # fmt: skip

    @classmethod
    def from_json(cls, node: Mapping[str, Any]) -> Category:
        """Return the encoder that `to_json` described."""
        levels, shares = [str(level) for level in node["levels"]], [float(share) for share in node["shares"]]
        return cls(column_names(node)[0], levels, shares, float(node["gap_share"]))
