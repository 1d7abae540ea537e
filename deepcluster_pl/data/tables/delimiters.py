"""Guess the delimiter of a text table, and cut its lines into fields."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence

from deepcluster_pl.errors import UserError

WHITESPACE = r"\s+"
"""A delimiter that is any run of blanks."""
MOST_TITLES = 10
"""Lines above the names of columns that are looked at."""
_DELIMITERS = ("\t", ";", "|", ",")
_MOST_ROWS, _MOST_CELLS = 200, 200_000


def cut(line: str, delimiter: str) -> list[str]:
    """Cut one line into fields; quotes are respected."""
    if delimiter == WHITESPACE:
        if '"' not in line:
            return line.split()
        return next(csv.reader([line.strip()], delimiter=" ", skipinitialspace=True), [])
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def guess_delimiter(lines: Sequence[str]) -> str:
    """Return the delimiter that cuts most lines into the same number of fields, more than one."""
    sample = [line for line in lines[:50] if line.strip()]
    # A title may stand above the table
    for start in range(min(MOST_TITLES, max(1, len(sample) - 2))):
        for delimiter in (*_DELIMITERS, WHITESPACE) if start == 0 else _DELIMITERS:
            # A header may have one field less than the rows: names of rows have no name
            fields = [len(cut(line, delimiter)) for line in sample[start:]]
            usual = Counter(fields[1:] or fields).most_common(1)[0][0] if fields else 1
            alike = sum(count == usual for count in fields)
            if usual > (1 if start == 0 else 2) and alike >= 0.9 * len(fields) - 1 and abs(fields[0] - usual) <= 1:
                return delimiter
    first = sample[0] if sample else ""
    return max((",", ";", "\t", "|"), key=first.count)


def first_rows(lines: Sequence[str], delimiter: str, source: str) -> tuple[list[list[str]], list[int]]:
    """Return the first rows of a table that are not blank, and the number of lines until the end of each."""
    rows: list[list[str]] = []
    ends: list[int] = []
    n_cells = 0
    if delimiter == WHITESPACE:
        for number, line in enumerate(lines, start=1):
            if line.strip() and len(rows) < _MOST_ROWS:
                rows.append(cut(line, WHITESPACE))
                ends.append(number)
        return rows, ends
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        for row in reader:
            if row:
                rows.append(row)
                ends.append(reader.line_num)
                n_cells += len(row)
            if len(rows) >= _MOST_ROWS or (n_cells > _MOST_CELLS and len(rows) > 3):
                break
    except csv.Error as error:
        raise UserError(f"{source} is not a table: {error}") from error
    return rows, ends
