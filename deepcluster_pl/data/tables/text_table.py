"""Read a text table with pandas, a piece at a time: plain numbers into one array, everything else as distinct text."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from deepcluster_pl.data.tables.cells import MARKERS
from deepcluster_pl.data.tables.dialect import GUESSED, WHITESPACE, Dialect, Options, cut, guess_dialect, guess_encoding
from deepcluster_pl.data.tables.frame import Column, Frame, Text
from deepcluster_pl.data.tables.opening import COMPRESSED, open_bytes
from deepcluster_pl.errors import UserError, first_line

MAX_LINE = 2**24
"""Longest line of a table, in characters."""
_HEAD = 2**20
_CELLS_AT_ONCE = 2**19
_WIDE = 1000
_RESTARTS = 3
_LOOKED_UP = 200_000


def read_text_table(path: Path, options: Options = GUESSED, as_text: bool = False) -> Frame:
    """Read a table of text, compressed or not.

    Args:
        path: the file.
        options: what the user says about it; the rest is guessed.
        as_text: whether every cell stays text.

    Returns:
        The table.

    Raises:
        UserError: the file is no table, has no rows, or its rows and header do not fit together.
    """
    return _read_source(_Source(path), options, as_text)


def read_text(text: str, path: Path, options: Options = GUESSED) -> Frame:
    """Read a table of text in memory.

    Args:
        text: the table.
        path: the file that it is from, for messages.
        options: what the user says about it.
    """
    return _read_source(_Source(path, text.encode("utf-8", "replace")), options._replace(encoding="utf-8"), False)


class _Source:
    """The bytes of a table, in a file or in memory."""

    def __init__(self, path: Path, content: bytes | None = None) -> None:
        self.name = path.name
        self._path, self._content = path, content

    @property
    def n_bytes(self) -> int:
        """Size of the text; 0 where it is compressed and therefore unknown."""
        if self._content is not None:
            return len(self._content)
        return 0 if self._path.suffix.lower() in COMPRESSED else self._path.stat().st_size

    def open(self) -> IO[bytes]:
        """Open it at its beginning."""
        return open_bytes(self._path) if self._content is None else io.BytesIO(self._content)


def _read_source(path: _Source, options: Options, as_text: bool) -> Frame:
    """Read a table; errors of any reader become a line."""
    try:
        return _read(path, options, as_text)
    except UnicodeDecodeError as error:
        # The first megabyte was UTF-8, and what follows is not
        if options.encoding is None and error.encoding.startswith("utf-8"):
            return _read_source(path, options._replace(encoding="cp1252"), as_text)
        raise UserError(
            f"{path.name} is not {error.encoding} text: {first_line(error)[:200]}; type data.encoding=utf-8 or latin-1"
        ) from error
    except LookupError as error:
        raise UserError(f"data.encoding={options.encoding}: Python knows no such encoding") from error
    except (OSError, EOFError, ValueError, csv.Error, MemoryError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path.name} is not a table: {first_line(error)[:300]}") from error


def _read(path: _Source, options: Options, as_text: bool) -> Frame:
    """Guess the dialect, then read in pieces; begin again where a column of numbers turns out to hold text."""
    with path.open() as stream:
        head = stream.read(_HEAD)
        while head.count(b"\n") < 3 and len(head) < 2 * MAX_LINE and (more := stream.read(_HEAD)):
            head += more
        is_whole = not stream.read(1)
    encoding = options.encoding or guess_encoding(head)
    text = io.TextIOWrapper(io.BytesIO(head), encoding, errors="ignore", newline="").read()
    _check_lines(text, path)
    dialect = guess_dialect(text, encoding, options, path.name, is_whole)
    dialect.row_bytes = len(head) / max(1, head.count(b"\n"))
    dialect.has_padding = f"{dialect.delimiter} " in text
    plain = [False] * len(dialect.names) if as_text else list(dialect.plain)
    for _ in range(_RESTARTS):
        try:
            return _read_pieces(path, dialect, plain)
        except _HoldsTextError as error:
            plain[error.column] = False
    return _read_pieces(path, dialect, [False] * len(plain))


class _Rows:
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


class _HoldsTextError(Exception):
    """A column that was taken for plain numbers holds text."""

    def __init__(self, column: int) -> None:
        super().__init__(column)
        self.column = column


class _Checked(io.TextIOBase):
    """Text whose lines are held against the longest that is allowed while it is read."""

    def __init__(self, stream: io.TextIOBase, path: _Source) -> None:
        self._stream, self._path = stream, path
        self._length = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> str:
        text = self._stream.read(-1 if size is None else size)
        last = text.rfind("\n")
        self._length = self._length + len(text) if last < 0 else len(text) - last - 1
        if self._length > MAX_LINE and "\r" not in text:
            raise UserError(f"{self._path.name} has a line of more than {MAX_LINE:,} characters; is it a table?")
        return text


def _open_body(path: _Source, dialect: Dialect) -> io.TextIOWrapper:
    """Open a table at its first row of data."""
    stream = io.TextIOWrapper(path.open(), dialect.encoding, newline="")
    for _ in range(dialect.skipped_lines):
        stream.readline(MAX_LINE)
    return stream


def _read_pieces(path: _Source, dialect: Dialect, plain: list[bool]) -> Frame:
    """Read all rows; raise `_HoldsTextError` for a column that was taken for plain numbers."""
    numbers = [i for i, is_plain in enumerate(plain) if is_plain]
    texts = [i for i, is_plain in enumerate(plain) if not is_plain]
    merged = {i: _Levels() for i in texts}
    rows = _Rows(len(numbers), 0 if dialect.row_bytes == 0 else int(1.25 * path.n_bytes / dialect.row_bytes))
    for piece in _pieces(path, dialect, numbers, texts):
        rows.add(piece[0])
        for i in texts:
            merged[i].add(*piece[1][i])
    matrix = rows.matrix()
    if not len(matrix):
        raise UserError(f"{path.name}: found no rows, expected a header and rows")
    names = dialect.names
    others: dict[str, Column] = {names[i]: merged[i].text() for i in texts}
    look_up = _CellFinder(path, dialect)
    return Frame(
        path.name, names, matrix, [names[i] for i in numbers], others, tuple(sorted(dialect.nameless)),
        remarks=list(dialect.remarks), place=look_up.place, gap_text=look_up.text, decimal=dialect.decimal,
    )  # fmt: skip


def _pieces(
    path: _Source, dialect: Dialect, numbers: list[int], texts: list[int]
) -> Iterator[tuple[NDArray[np.float64], dict[int, tuple[NDArray[np.int32], NDArray[Any]]]]]:
    """Yield pieces of a table: numbers (B, M), and codes and levels of each column of text."""
    n_columns = len(dialect.names)
    if not texts and n_columns > _WIDE and dialect.delimiter != WHITESPACE and (whole := _all_numbers(path, dialect)):
        yield whole[0], {}
        return
    with _open_body(path, dialect) as body:
        checked = _Checked(body, path)
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
                            raise _HoldsTextError(i)
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


def _adds_up(path: _Source, dialect: Dialect, n_rows: int) -> bool:
    """Return whether a file without quotes has as many delimiters as its rows need."""
    n_delimiters = 0
    with _open_body(path, dialect) as body:
        while text := body.read(2**18):
            if '"' in text:
                return False
            n_delimiters += text.count(dialect.delimiter)
    return n_delimiters == n_rows * (len(dialect.names) - 1)


def _all_numbers(path: _Source, dialect: Dialect) -> tuple[NDArray[np.float64]] | None:
    """Read a wide table of numbers by NumPy, whose cost does not grow with every column; None where it cannot."""
    if dialect.decimal != ".":
        return None
    try:
        with _open_body(path, dialect) as body, warnings.catch_warnings():
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


def _check_rows(path: _Source, dialect: Dialect) -> None:
    """Raise `UserError` for the first row with another number of fields than the header."""
    expected = len(dialect.names)
    for line, row in _numbered_rows(path, dialect):
        if row and len(row) != expected:
            raise UserError(f"{path.name}, line {line}: found {len(row)} fields, expected {expected}")


def _numbered_rows(path: _Source, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a table with the number of the line that each ends on."""
    with _open_body(path, dialect) as body:
        if dialect.delimiter == WHITESPACE:
            for number, line in enumerate(body, start=dialect.skipped_lines + 1):
                yield number, cut(line, WHITESPACE)
            return
        reader = csv.reader(body, delimiter=dialect.delimiter)
        for row in reader:
            yield dialect.skipped_lines + reader.line_num, row


class _CellFinder:
    """Finds the line and the text of cells that a message names, by reading the file again."""

    def __init__(self, path: _Source, dialect: Dialect) -> None:
        self._path, self._dialect = path, dialect
        self._found: dict[int, tuple[int, list[str]]] = {}

    def place(self, row: int) -> str:
        """Return words for a row, such as "line 19"."""
        line, _ = self._look_up(row)
        return f"line {line}" if line else f"row {row}"

    def text(self, row: int, name: str) -> str:
        """Return a cell as it stands in the file."""
        cells, column = self._look_up(row)[1], self._dialect.names.index(name)
        return cells[column].strip() if column < len(cells) else ""

    def _look_up(self, row: int) -> tuple[int, list[str]]:
        if row not in self._found:
            self._found[row] = (0, [])
            if row < _LOOKED_UP:
                rows = (found for found in _numbered_rows(self._path, self._dialect) if any(found[1]))
                self._found[row] = next((found for i, found in enumerate(rows) if i == row), (0, []))
        return self._found[row]


class _Levels:
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


def _check_lines(text: str, path: _Source) -> None:
    """Raise `UserError` for zero bytes, which no text has, and for a line that is no line of a table."""
    if "\0" in text:
        raise UserError(f"{path.name} is not a table: it holds zero bytes, and text has none")
    if len(text) < MAX_LINE:
        return
    start = 0
    for number, line in enumerate(io.StringIO(text, newline=None), start=1):
        if len(line) > MAX_LINE:
            raise UserError(f"{path.name}, line {number} has more than {MAX_LINE:,} characters; is it a table?")
        start += len(line)
