"""The columns of a table as they were read, before anything is decided about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Text(NamedTuple):
    """A column of text; each distinct cell is stored once.

    Attributes:
        codes: position (N,) of each cell among the levels; -1 is a gap.
        levels: distinct cells (L,).
    """

    codes: NDArray[np.int32]
    levels: NDArray[Any]

    def take(self, rows: NDArray[np.int64]) -> Text:
        """Return the cells of some rows."""
        return Text(self.codes[rows], self.levels)

    def cells(self) -> list[str]:
        """Return all cells; a gap is empty text."""
        return np.append(self.levels, "")[self.codes].tolist()  # type: ignore[no-any-return]


Column = Text | NDArray[Any]
"""Text; numbers (N,), where NaN is a gap; times (N,) as datetime64; or lists (N, D) of one length."""


@dataclass
class Frame:
    """A table as it was read.

    Attributes:
        source: name of the file, for messages.
        names: names of all columns, in the file's order.
        matrix: columns (N, M) of plain numbers, where NaN is a gap.
        matrix_names: their names.
        others: all other columns by name.
        index_names: columns that hold a row index by the format's own word.
        unusable: columns that cannot be features, with the reason.
        remarks: lines about guesses that were made while it was read.
        place: words for a row, such as "line 19".
        gap_text: returns the text of a gap as it stands in the file.
        decimal: sign before decimals in text.
    """

    source: str
    names: list[str]
    matrix: NDArray[np.float64]
    matrix_names: list[str]
    others: dict[str, Column]
    index_names: Sequence[str] = ()
    unusable: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    place: Callable[[int], str] = "row {}".format
    gap_text: Callable[[int, str], str] = lambda row, name: ""
    decimal: str = "."

    def __post_init__(self) -> None:
        self._column = {name: j for j, name in enumerate(self.matrix_names)}
        self._ranges: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    def __len__(self) -> int:
        if self.matrix_names:
            return len(self.matrix)
        for column in self.others.values():
            return len(column.codes) if isinstance(column, Text) else len(column)
        return 0

    def __contains__(self, name: str) -> bool:
        return name in self._column or name in self.others

    def column(self, name: str) -> Column:
        """Return one column; numbers are a view."""
        if name in self._column:
            return self.matrix[:, self._column[name]]
        return self.others[name]

    def ranges(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the least and the largest number (M,) of each column of `matrix` among some rows; NaN without any.

        Args:
            rows: row numbers; those of the whole table are looked at once.
        """
        if len(rows) < len(self.matrix):
            return ranges_of(self.matrix[rows])
        if self._ranges is None:
            self._ranges = ranges_of(self.matrix)
        return self._ranges

    def positions(self, names: Sequence[str]) -> NDArray[np.int64] | None:
        """Return the places of columns in `matrix`; None if one of them is no plain number."""
        if not all(name in self._column for name in names):
            return None
        return np.array([self._column[name] for name in names], dtype=np.int64)


def ranges_of(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and the largest number (M,) of each column, without gaps; NaN for a column of gaps alone.

    >>> [values.tolist() for values in ranges_of(np.array([[1.0, np.nan], [3.0, 2.0]]))]
    [[1.0, 2.0], [3.0, 2.0]]
    """
    low, high = matrix.min(axis=0), matrix.max(axis=0)
    gaps = np.flatnonzero(np.isnan(low))  # which are passed over at another speed
    if len(gaps):
        some = matrix[:, gaps] if len(gaps) < len(low) else matrix
        low[gaps], high[gaps] = np.fmin.reduce(some, axis=0), np.fmax.reduce(some, axis=0)
    return low, high


def to_text(cells: Sequence[Any]) -> Text:
    """Return cells as text; None is a gap.

    >>> to_text(["a", None, "b", "a"]).codes.tolist()
    [0, -1, 1, 0]
    """
    known: dict[str, int] = {}
    codes = [-1 if cell is None else known.setdefault(str(cell), len(known)) for cell in cells]
    levels = np.empty(len(known), dtype=object)
    levels[:] = list(known)
    return Text(np.array(codes, dtype=np.int32), levels)
