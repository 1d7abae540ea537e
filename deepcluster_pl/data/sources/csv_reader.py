"""Reader of text tables with a header, which keeps the line number of every row for errors to name."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.errors import UserError

Columns = dict[str, NDArray[Any]]
"""Values (N,) by the name of their column."""
_MAX_LINE = 2**24
_MAX_PADDED = 2**22
_MAX_NAMES, _MAX_NAME = 10, 80


class CsvTable(NamedTuple):
    """A text table.

    Attributes:
        columns: cells (N,) of each column, as text.
        lines: line of the file that each of the N rows ends on.
    """

    columns: Columns
    lines: list[int]


def read_csv(path: Path) -> CsvTable:
    """Read a UTF-8 table with a header, separated by commas, semicolons or tabs; a byte-order mark is fine.

    Raises:
        UserError: the file is no table, has no rows, or its rows or header do not fit together.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            # The separator is the one that the header has most of.
            header_line = file.readline(_MAX_LINE)
            file.seek(0)
            rows = csv.reader(_short_lines(file, path), delimiter=max(",;\t", key=header_line.count))
            header = [name.strip() for name in next(rows, [])]
            _check_names(header, path)
            lines, body = [], []
            for row in rows:
                if row and len(row) != len(header):
                    raise UserError(
                        f"{path.name}, line {rows.line_num}: found {len(row)} fields, expected {len(header)}"
                    )
                if row:
                    lines.append(rows.line_num)
                    body.append(row)
    except UnicodeDecodeError as error:
        raise UserError(f"{path.name} is not UTF-8 text: {error}") from error
    except csv.Error as error:
        raise UserError(f"{path.name} is not a table: {error}") from error
    if not header or not body:
        raise UserError(f"{path.name}: found {'no rows' if header else 'an empty file'}, expected a header and rows")
    columns = {name: to_array([row[i] for row in body]) for i, name in enumerate(header)}
    return CsvTable(columns, lines)


def to_array(cells: list[str]) -> NDArray[Any]:
    """Return text cells (N,) as an array.

    NumPy stores each cell at the length of the longest. Where a few long cells would multiply the memory, the array
    holds Python's own texts instead.
    """
    longest = max(map(len, cells), default=0)
    if longest * len(cells) > max(_MAX_PADDED, 8 * sum(map(len, cells))):
        return np.array(cells, dtype=object)
    return np.array(cells)


def shorten(names: Iterable[str]) -> str:
    """Return names in one short text: the first few, and the number of the others.

    >>> shorten("abc"), shorten(str(i) for i in range(60_000))
    ('a, b, c', '0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 59990 more')
    """
    listed = list(names)
    rest = f" and {len(listed) - _MAX_NAMES} more" if len(listed) > _MAX_NAMES else ""
    shown = [name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME]}..." for name in listed[:_MAX_NAMES]]
    return ", ".join(shown) + rest


def _short_lines(file: TextIO, path: Path) -> Iterator[str]:
    """Yield the lines of a file; raise `UserError` for one that is no line of a table."""
    number = 0
    while line := file.readline(_MAX_LINE):
        number += 1
        if len(line) == _MAX_LINE:
            raise UserError(f"{path.name}, line {number} has more than {_MAX_LINE:,} characters; is it a table?")
        yield line


def _check_names(header: list[str], path: Path) -> None:
    """Raise `UserError` for a header that looks like data, or that has a name twice."""
    if any(_is_decimal(name) for name in header):
        first = ",".join(name[:_MAX_NAME] for name in header[:4])
        raise UserError(f"{path.name}: the first line, {first} …, looks like data; expected column names")
    repeated = sorted(name for name, count in Counter(header).items() if count > 1)
    if repeated:
        raise UserError(f"{path.name}: column {repeated[0][:_MAX_NAME]!r} occurs more than once in the header")


def _is_decimal(name: str) -> bool:
    """Return whether a column's name is a number that nobody counts columns with, such as 5.1 or -3."""
    try:
        float(name)
    except ValueError:
        return False
    return not name.isdigit() and name.lower() not in ("nan", "inf", "infinity")
