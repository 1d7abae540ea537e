"""Guess from the first rows of a text table which line names the columns, and which sign stands before decimals."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from deepcluster_pl.data.tables.cells import is_gap, is_number, to_number
from deepcluster_pl.data.tables.delimiters import MOST_TITLES
from deepcluster_pl.data.tables.names import one_line
from deepcluster_pl.errors import UserError

LONGEST_NAME = 80
"""Longest name in a message, in characters."""
_MOST_COLUMNS = 2000
_DECIMAL_COMMA = re.compile(r"[+-]?(\d+(\.\d{3})*),\d+%?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+", re.ASCII)
_DECIMAL_POINT = re.compile(r"[+-]?\d*\.\d+%?", re.ASCII)
_WORDS = ("inf", "infinity")


def count_title_rows(rows: Sequence[Sequence[str]]) -> int:
    """Return the number of rows above the names of columns: titles and blank ones, with few filled cells.

    >>> count_title_rows([["Sales 2023", "", ""], ["", "", ""], ["a", "b", "c"], ["1", "2", "3"]])
    2
    >>> count_title_rows([["a", "b"]])
    0
    """
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows[: MOST_TITLES * 2]]
    widths = Counter(sum(bool(cell.strip()) for cell in row) for row in rows[1:])
    usual = max(widths, key=lambda width: (widths[width], width)) if widths else 0
    if usual < 3:
        return 0
    title = 0
    while title < len(filled) - 2 and title < MOST_TITLES and filled[title] <= usual // 3:
        title += 1
    # What follows has to be a whole row of names
    return title if title and filled[title] >= 0.75 * usual else 0


def guess_decimal(rows: Sequence[Sequence[str]], delimiter: str) -> str:
    """Return the sign before decimals: a comma where there are cells such as 1,5."""
    commas = points = thousands = 0
    for row in rows:
        for cell in row[:_MOST_COLUMNS]:
            text = cell.strip(" \u00a0$€£¥%")
            if len(text) > 40:
                continue
            commas += bool(_DECIMAL_COMMA.fullmatch(text)) and not _THOUSANDS.fullmatch(text)
            thousands += bool(_THOUSANDS.fullmatch(text))
            points += bool(_DECIMAL_POINT.fullmatch(text))
    if commas:
        return "," if commas >= points or delimiter == ";" else "."
    return "," if thousands and not points and delimiter == ";" else "."


def has_header(names: list[str], body: Sequence[Sequence[str]], decimal: str, source: str) -> bool:
    """Return whether the first line holds names; raise `UserError` where it looks like both."""
    if not body:
        return not all(_is_numeric(name, decimal) for name in names)
    # Of a very wide table some columns say enough
    chosen = range(0, len(names), max(1, len(names) // _MOST_COLUMNS))
    columns = [[row[i] for row in body if i < len(row)] for i in chosen]
    heads = [names[i] for i in chosen]
    n_for, against, are_numeric = 0, 0, []
    for name, cells in zip(heads, columns, strict=True):
        known = [cell for cell in cells if not is_gap(cell)]
        numeric = bool(known) and sum(_is_numeric(cell, decimal) for cell in known) > 0.5 * len(known)
        are_numeric.append(numeric)
        if numeric and name and not _is_numeric(name, decimal) and not is_gap(name):
            n_for += 1  # text above numbers
        elif numeric and is_number(name) and not name.isdigit() and name.strip("+-").lower() not in _WORDS:
            against += 1  # 5.1 above numbers
        elif not numeric and name and name in known:
            against += 1  # a value that occurs again
    if n_for and against:
        first = one_line(",".join(name[:LONGEST_NAME] for name in names[:4]))
        raise UserError(
            f"{source}: the first line, {first} …, looks like data and "
            f"like column names; type data.header=true or data.header=false"
        )
    if n_for or against:
        return bool(n_for)
    if any(are_numeric):
        # Digits above numbers: names only where they count the columns, as pandas names them, or name some text
        digits = [int(name) for name, numeric in zip(heads, are_numeric, strict=True) if numeric and name.isdigit()]
        step = chosen.step
        counted = any(digits == list(range(start, start + step * len(digits), step)) for start in (0, 1))
        return (counted and len(digits) > 1) or not digits
    return len(set(names)) == len(names)


def fit_to_rows(names: list[str], body: Sequence[Sequence[str]]) -> tuple[list[str], str]:
    """Return the names of the columns that rows have: names of rows have no name, nor have ends of lines."""
    usual = Counter(map(len, body)).most_common(1)[0][0] if body else len(names)
    if usual != len(names) + 1:
        return names, ""
    if all(is_gap(row[-1]) for row in body if len(row) == usual):
        return [*names, ""], ""
    return ["", *names], "rows have one field more than the header, so the first field is taken for the row's name"


def is_plain_number(cell: str, decimal: str) -> bool:
    """Return whether a cell is a plain number or a gap."""
    if decimal == ",":  # 1.234 is a thousand then
        return ("." not in cell and is_number(cell.replace(",", "."))) or is_gap(cell)
    try:
        float(cell)
    except ValueError:
        return is_gap(cell)
    return "_" not in cell


def _is_numeric(cell: str, decimal: str) -> bool:
    """Return whether a cell is a number, as computers or as people write it."""
    number = to_number(cell, decimal)
    return number == number
