"""Pieces of a text table by pandas, each checked, and put together without holding the table twice."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from deepcluster_pl.data.tables.cells import MARKERS
from deepcluster_pl.data.tables.delimiters import WHITESPACE
from deepcluster_pl.data.tables.dialect import Dialect
from deepcluster_pl.data.tables.frame import Text
from deepcluster_pl.data.tables.text_source import CheckedText, TextSource, numbered_rows, open_body
from deepcluster_pl.errors import UserError, first_line

_CELLS_AT_ONCE = 2**19
_WIDE = 1000


class GrowingRows:
    """Rows of numbers that come in pieces, in one array from the beginning, so that the peak is one array and not two.

    Args:
        n_columns: numbers in a row.
        expected: rows that are likely to come; memory is only taken for those that do.
    """

    def __init__(self, n_columns: int, expected: int) -> None:
        self._values = np.empty((expected, n_columns))
        self._n = 0

    def add(self, piece: NDArray[np.float64]) -> None:
        """Add rows (B, n_columns)."""
        if self._n == 0 and len(piece) > len(self._values):  # all of them at once
            self._values, self._n = piece, len(piece)
            return
        end = self._n + len(piece)
        if end > len(self._values):
            larger = np.empty((max(end, 2 * len(self._values)), self._values.shape[1]))
            larger[: self._n] = self._values[: self._n]
            self._values = larger
        self._values[self._n : end] = piece
        self._n = end

    def matrix(self) -> NDArray[np.float64]:
        """Return all rows (N, n_columns)."""
        return self._values[: self._n]


class MergedLevels:
    """Merges the text of several pieces; a cell that occurs often is stored once."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        self._codes: list[NDArray[np.int32]] = []

    def add(self, codes: NDArray[Any], levels: NDArray[Any]) -> None:
        """Add a piece: codes (B,), -1 for gaps, and its levels."""
        known = self._known
        places = np.array([known.setdefault(str(level).strip(), len(known)) for level in levels] + [-1], dtype=np.int32)
        self._codes.append(places[codes])

    def text(self) -> Text:
        """Return the whole column."""
        levels = np.empty(len(self._known), dtype=object)
        levels[:] = list(self._known)
        return Text(np.concatenate(self._codes), levels)


class HoldsTextError(Exception):
    """A column that was taken for plain numbers holds text."""

    def __init__(self, column: int) -> None:
        super().__init__(column)
        self.column = column


def read_pieces(
    path: TextSource, dialect: Dialect, numbers: list[int], texts: list[int]
) -> Iterator[tuple[NDArray[np.float64], dict[int, tuple[NDArray[np.int32], NDArray[Any]]]]]:
    """Yield pieces of a table: numbers (B, M), and codes and levels of each column of text."""
    n_columns = len(dialect.names)
    if not texts and n_columns > _WIDE and dialect.delimiter != WHITESPACE and (whole := _all_numbers(path, dialect)):
        yield whole[0], {}
        return
    with open_body(path, dialect) as body:
        checked = CheckedText(body, path)
        n_rows, last_has_gaps = 0, False
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            try:
                reader = pd.read_csv(
                    checked, sep=dialect.delimiter, header=None, names=range(n_columns), index_col=False,
                    decimal=dialect.decimal, na_values=list(MARKERS), keep_default_na=True, skip_blank_lines=True,
                    dtype=dict.fromkeys(texts, "category"), chunksize=max(16, _CELLS_AT_ONCE // n_columns),
                    skipinitialspace=dialect.has_padding, low_memory=False,
                )  # fmt: skip
                for piece in reader:
                    n_rows += len(piece)
                    kinds = [dtype.kind for dtype in piece.dtypes]
                    for i in numbers:
                        if kinds[i] not in "iuf":
                            raise HoldsTextError(i)
                    values = piece[numbers].to_numpy(np.float64) if texts else piece.to_numpy(np.float64)
                    cells = {i: (np.asarray(piece[i].cat.codes), np.asarray(piece[i].cat.categories, dtype=object))
                             for i in texts}  # fmt: skip
                    last = cells.get(n_columns - 1)
                    last_has_gaps |= bool(np.isnan(values[:, -1]).any() if last is None else (last[0] < 0).any())
                    yield values, cells
            except pd.errors.EmptyDataError:
                return
            except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
                _check_rows(path, dialect)
                raise UserError(f"{path.name} is not a table: {first_line(error)[:300]}") from error
    # pandas fills short rows up without a word, but never without a gap in the last column
    if last_has_gaps and (dialect.delimiter == WHITESPACE or not _adds_up(path, dialect, n_rows)):
        _check_rows(path, dialect)


def _adds_up(path: TextSource, dialect: Dialect, n_rows: int) -> bool:
    """Return whether a file without quotes has as many delimiters as its rows need."""
    n_delimiters = 0
    with open_body(path, dialect) as body:
        while text := body.read(2**18):
            if '"' in text:
                return False
            n_delimiters += text.count(dialect.delimiter)
    return n_delimiters == n_rows * (len(dialect.names) - 1)


def _all_numbers(path: TextSource, dialect: Dialect) -> tuple[NDArray[np.float64]] | None:
    """Read a wide table of numbers by NumPy, whose cost does not grow with every column; None where it cannot."""
    if dialect.decimal != ".":
        return None
    try:
        with open_body(path, dialect) as body, warnings.catch_warnings():
            warnings.simplefilter("error")
            lines = _without_gaps(body, dialect.delimiter)
            values = np.loadtxt(lines, delimiter=dialect.delimiter, comments=None, ndmin=2, quotechar='"')
    except (ValueError, UserWarning):
        return None
    return (values,) if values.shape[1] == len(dialect.names) else None


def _without_gaps(body: io.TextIOWrapper, delimiter: str) -> Iterator[str]:
    """Yield lines in which gaps are called nan, which NumPy can read; lines with quotes as they are."""
    names = dict.fromkeys(MARKERS, "nan")
    for line in body:
        if '"' in line:
            yield line
        elif line := line.rstrip("\r\n"):
            yield delimiter.join([names.get(cell, cell) for cell in line.split(delimiter)])


def _check_rows(path: TextSource, dialect: Dialect) -> None:
    """Raise `UserError` for the first row with another number of fields than the header."""
    expected = len(dialect.names)
    for line, row in numbered_rows(path, dialect):
        if row and len(row) != expected:
            raise UserError(f"{path.name}, line {line}: found {len(row)} fields, expected {expected}")
