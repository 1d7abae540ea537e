"""Reader of text tables with a header, which keeps the line number of every row for errors to name."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.errors import UserError

Columns = dict[str, NDArray[Any]]
"""Values (N,) by the name of their column."""


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
            header_line = file.readline()
            file.seek(0)
            rows = csv.reader(file, delimiter=max(",;\t", key=header_line.count))
            header = [name.strip() for name in next(rows, [])]
            body = [(rows.line_num, row) for row in rows if row]
    except UnicodeDecodeError as error:
        raise UserError(f"{path.name} is not UTF-8 text: {error}") from error
    except csv.Error as error:
        raise UserError(f"{path.name} is not a table: {error}") from error
    if not header or not body:
        raise UserError(f"{path.name}: found {'no rows' if header else 'an empty file'}, expected a header and rows")
    if any(_is_decimal(name) for name in header):
        first = ",".join(header[:4])
        raise UserError(f"{path.name}: the first line, {first} …, looks like data; expected column names")
    repeated = {name for name in header if header.count(name) > 1}
    if repeated:
        raise UserError(f"{path.name}: column {sorted(repeated)[0]!r} occurs more than once in the header")
    for line, row in body:
        if len(row) != len(header):
            raise UserError(f"{path.name}, line {line}: found {len(row)} fields, expected {len(header)}")
    columns = {name: np.array([row[i] for _, row in body]) for i, name in enumerate(header)}
    return CsvTable(columns, [line for line, _ in body])


def _is_decimal(name: str) -> bool:
    """Return whether a column's name is a number that nobody counts columns with, such as 5.1 or -3."""
    try:
        float(name)
    except ValueError:
        return False
    return not name.isdigit() and name.lower() not in ("nan", "inf", "infinity")
