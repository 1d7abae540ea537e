"""The bytes of a text table: opened at its first row, held against the longest line, and looked up for messages."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from deepcluster_pl.data.tables.delimiters import WHITESPACE, cut
from deepcluster_pl.data.tables.dialect import Dialect
from deepcluster_pl.data.tables.opening import COMPRESSED, open_bytes
from deepcluster_pl.errors import UserError

MAX_LINE = 2**24
"""Longest line of a table, in characters."""
_LOOKED_UP = 200_000


class TextSource:
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


class CheckedText(io.TextIOBase):
    """Text whose lines are held against the longest that is allowed while it is read."""

    def __init__(self, stream: io.TextIOBase, path: TextSource) -> None:
        self._stream, self._path = stream, path
        self._length = 0

    def readable(self) -> bool:
        """Return True, which pandas asks for."""
        return True

    def read(self, size: int | None = -1) -> str:
        """Return the next characters; raise `UserError` within a line that is too long."""
        text = self._stream.read(-1 if size is None else size)
        last = text.rfind("\n")
        self._length = self._length + len(text) if last < 0 else len(text) - last - 1
        if self._length > MAX_LINE and "\r" not in text:
            raise UserError(f"{self._path.name} has a line of more than {MAX_LINE:,} characters; is it a table?")
        return text


def check_lines(text: str, path: TextSource) -> None:
    """Raise `UserError` for zero bytes, which no text has, and for a line that is no line of a table."""
    if "\0" in text:
        raise UserError(f"{path.name} is not a table: it holds zero bytes, and text has none")
    if len(text) < MAX_LINE:
        return
    for number, line in enumerate(io.StringIO(text, newline=None), start=1):
        if len(line) > MAX_LINE:
            raise UserError(f"{path.name}, line {number} has more than {MAX_LINE:,} characters; is it a table?")


def open_body(path: TextSource, dialect: Dialect) -> io.TextIOWrapper:
    """Open a table at its first row of data."""
    stream = io.TextIOWrapper(path.open(), dialect.encoding, newline="")
    for _ in range(dialect.skipped_lines):
        stream.readline(MAX_LINE)
    return stream


def numbered_rows(path: TextSource, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a table with the number of the line that each ends on."""
    with open_body(path, dialect) as body:
        if dialect.delimiter == WHITESPACE:
            for number, line in enumerate(body, start=dialect.skipped_lines + 1):
                yield number, cut(line, WHITESPACE)
            return
        reader = csv.reader(body, delimiter=dialect.delimiter)
        for row in reader:
            yield dialect.skipped_lines + reader.line_num, row


class CellFinder:
    """Finds the line and the text of cells that a message names, by reading the file again."""

    def __init__(self, path: TextSource, dialect: Dialect) -> None:
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
                rows = (found for found in numbered_rows(self._path, self._dialect) if any(found[1]))
                self._found[row] = next((found for i, found in enumerate(rows) if i == row), (0, []))
        return self._found[row]
