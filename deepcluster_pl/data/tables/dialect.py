"""Guess how a text table is written, from its first lines: encoding, delimiter, decimal sign, header, plain numbers."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from deepcluster_pl.data.tables.cells import is_gap, is_number, to_number
from deepcluster_pl.data.tables.names import distinct_names, one_line
from deepcluster_pl.errors import UserError

Header = Literal["auto", "true", "false"]
WHITESPACE = r"\s+"
_DELIMITERS = ("\t", ";", "|", ",")
_NAMES = {"tab": "\t", "space": WHITESPACE, "comma": ",", "semicolon": ";", "pipe": "|"}
_MOST_ROWS, _MOST_CELLS, _MOST_COLUMNS = 200, 200_000, 2000
_DECIMAL_COMMA = re.compile(r"[+-]?(\d+(\.\d{3})*),\d+%?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+", re.ASCII)
_DECIMAL_POINT = re.compile(r"[+-]?\d*\.\d+%?", re.ASCII)
_LONGEST_NAME, _MOST_TITLES = 80, 10
_WORDS = ("inf", "infinity")


class Options(NamedTuple):
    """Options of a text table that the user typed; None leaves them to the guess.

    Attributes:
        delimiter: a character, or tab, space, comma, semicolon, pipe.
        decimal: `.` or `,`.
        encoding: a name that Python knows.
        header: whether the first line holds names.
    """

    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    header: bool | None = None


GUESSED = Options()
"""Nothing is said, so everything is guessed."""


@dataclass
class Dialect:
    """The way that a text table is written.

    Attributes:
        encoding: Python's name.
        skipped_lines: lines before the first row of data.
        delimiter: one character, or a pattern of white space.
        decimal: sign before decimals.
        names: of all columns.
        nameless: those of them that the file has no name for.
        plain: whether each column holds nothing but plain numbers and gaps in the first rows.
        remarks: lines about guesses that a person should know of.
        row_bytes: bytes of a line, in the mean of the first ones.
        has_padding: whether blanks follow delimiters.
    """

    encoding: str
    skipped_lines: int
    delimiter: str
    decimal: str
    names: list[str]
    nameless: set[str]
    plain: list[bool]
    remarks: list[str] = field(default_factory=list)
    row_bytes: float = 0.0
    has_padding: bool = True


def guess_encoding(head: bytes) -> str:
    """Return the encoding of a text that begins with these bytes; bytes that are no UTF-8 are taken for Windows'.

    >>> guess_encoding("a,ä\\n".encode("cp1252")), guess_encoding("a".encode("utf-16"))
    ('cp1252', 'utf-16')
    """
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # Text in Latin letters as UTF-16 has a zero in every second byte
    if len(head) >= 4 and head[1::2].count(0) > 0.4 * len(head) / 2 and not head[0::2].count(0):
        return "utf-16-le"
    if len(head) >= 4 and head[0::2].count(0) > 0.4 * len(head) / 2 and not head[1::2].count(0):
        return "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "cp1252" if not set(head) & {0x81, 0x8D, 0x8F, 0x90, 0x9D} else "latin-1"
    return "utf-8"


def guess_dialect(head: str, encoding: str, options: Options, source: str, is_whole: bool) -> Dialect:
    """Guess how a table is written.

    Args:
        head: beginning of the text.
        encoding: its encoding.
        options: what the user says.
        source: name of the file, for messages.
        is_whole: whether `head` is the whole text.

    Returns:
        The dialect.

    Raises:
        UserError: the text is no table, or the guess fails and an option would help.
    """
    remarks = [] if encoding.startswith("utf") or options.encoding else [f"read as {encoding}: it is no UTF-8"]
    skipped = 0
    delimiter = None if options.delimiter is None else _NAMES.get(options.delimiter, options.delimiter)
    if delimiter is not None and delimiter != WHITESPACE and len(delimiter) != 1:
        raise UserError(f"data.delimiter={options.delimiter}: expected one character, or tab, space, comma, semicolon")
    # Excel's own first line, such as "sep=;"
    if match := re.match(r"sep=(.)\r?\n", head):
        delimiter, skipped, head = delimiter or match[1], 1, head[match.end() :]
    if head.startswith("#"):  # the header of numpy.savetxt
        head = " " + head[1:]
    if not is_whole:
        head = head[: head.rfind("\n") + 1]
    lines = head.splitlines(keepends=True)
    delimiter = delimiter or _guess_delimiter(lines)
    rows, n_lines = _rows(lines, delimiter, source)
    if not rows:
        raise UserError(f"{source}: found an empty file, expected a header and rows")
    if title := 0 if options.header is False else _title_rows(rows):
        shown = one_line(" ".join(filter(None, rows[0])))[:_LONGEST_NAME]
        remarks.append(
            f"the first line{'s' * (title > 1)}, {shown!r}, stand{'s' * (title == 1)} above the names of columns"
        )
        rows, n_lines = rows[title:], n_lines[title:]
    body = rows[1:]
    decimal = options.decimal or _guess_decimal(body or rows, delimiter)
    if decimal not in (".", ","):
        raise UserError(f"data.decimal={decimal}: expected . or ,")
    names, extra = [name.strip() for name in rows[0]], ""
    has_header = options.header if options.header is not None else _has_header(names, body, decimal, source)
    if has_header:
        skipped += n_lines[0]
        names, extra = _fit_to_rows(names, body)
    else:
        body = rows
        names = ["" for _ in names]
        if options.header is None:
            cells = [cell[:20] for cell in rows[0][:4]]
            first = one_line(delimiter.join(cells) if delimiter != WHITESPACE else rows[0][0])
            remarks.append(
                f"the first line, {first}{'…' if len(rows[0]) > 4 else ''}, looks like data, so columns are named "
                f"column_0, column_1 …; data.header=true takes it for names"
            )
    if extra:
        remarks.append(extra)
    nameless = {f"column_{i}" for i, name in enumerate(names) if not name and has_header}
    names = [name or f"column_{i}" for i, name in enumerate(names)]
    names, repeated = distinct_names(names)
    remarks += [repeated] if repeated else []
    plain = [True] * len(names)
    for row in body:
        for i, cell in enumerate(row[: len(names)]):
            plain[i] = plain[i] and _is_plain(cell, decimal)
    return Dialect(encoding, skipped, delimiter, decimal, names, nameless, plain, remarks)


def _rows(lines: Sequence[str], delimiter: str, source: str) -> tuple[list[list[str]], list[int]]:
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


def _guess_delimiter(lines: Sequence[str]) -> str:
    """Return the delimiter that cuts most lines into the same number of fields, more than one."""
    sample = [line for line in lines[:50] if line.strip()]
    # A title may stand above the table
    for start in range(min(_MOST_TITLES, max(1, len(sample) - 2))):
        for delimiter in (*_DELIMITERS, WHITESPACE) if start == 0 else _DELIMITERS:
            # A header may have one field less than the rows: names of rows have no name
            fields = [len(cut(line, delimiter)) for line in sample[start:]]
            usual = Counter(fields[1:] or fields).most_common(1)[0][0] if fields else 1
            alike = sum(count == usual for count in fields)
            if usual > (1 if start == 0 else 2) and alike >= 0.9 * len(fields) - 1 and abs(fields[0] - usual) <= 1:
                return delimiter
    first = sample[0] if sample else ""
    return max((",", ";", "\t", "|"), key=first.count)


def _title_rows(rows: Sequence[Sequence[str]]) -> int:
    """Return the number of rows above the names of columns: titles and blank ones, with few filled cells.

    >>> _title_rows([["Sales 2023", "", ""], ["", "", ""], ["a", "b", "c"], ["1", "2", "3"]]), _title_rows([["a", "b"]])
    (2, 0)
    """
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows[: _MOST_TITLES * 2]]
    widths = Counter(sum(bool(cell.strip()) for cell in row) for row in rows[1:])
    usual = max(widths, key=lambda width: (widths[width], width)) if widths else 0
    if usual < 3:
        return 0
    title = 0
    while title < len(filled) - 2 and title < _MOST_TITLES and filled[title] <= usual // 3:
        title += 1
    # What follows has to be a whole row of names
    return title if title and filled[title] >= 0.75 * usual else 0


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


def _guess_decimal(rows: Sequence[Sequence[str]], delimiter: str) -> str:
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


def _has_header(names: list[str], body: Sequence[Sequence[str]], decimal: str, source: str) -> bool:
    """Return whether the first line holds names; raise `UserError` where it looks like both."""
    if not body:
        return not all(_numeric(name, decimal) for name in names)
    # Of a very wide table some columns say enough
    chosen = range(0, len(names), max(1, len(names) // _MOST_COLUMNS))
    columns = [[row[i] for row in body if i < len(row)] for i in chosen]
    heads = [names[i] for i in chosen]
    n_for, against, is_numeric = 0, 0, []
    for name, cells in zip(heads, columns, strict=True):
        known = [cell for cell in cells if not is_gap(cell)]
        numeric = bool(known) and sum(_numeric(cell, decimal) for cell in known) > 0.5 * len(known)
        is_numeric.append(numeric)
        if numeric and name and not _numeric(name, decimal) and not is_gap(name):
            n_for += 1  # text above numbers
        elif numeric and is_number(name) and not name.isdigit() and name.strip("+-").lower() not in _WORDS:
            against += 1  # 5.1 above numbers
        elif not numeric and name and name in known:
            against += 1  # a value that occurs again
    if n_for and against:
        first = one_line(",".join(name[:_LONGEST_NAME] for name in names[:4]))
        raise UserError(
            f"{source}: the first line, {first} …, looks like data and "
            f"like column names; type data.header=true or data.header=false"
        )
    if n_for or against:
        return bool(n_for)
    if any(is_numeric):
        # Digits above numbers: names only where they count the columns, as pandas names them, or name some text
        digits = [int(name) for name, numeric in zip(heads, is_numeric, strict=True) if numeric and name.isdigit()]
        step = chosen.step
        counted = any(digits == list(range(start, start + step * len(digits), step)) for start in (0, 1))
        return (counted and len(digits) > 1) or not digits
    return len(set(names)) == len(names)


def _is_plain(cell: str, decimal: str) -> bool:
    """Return whether a cell is a plain number or a gap."""
    if decimal == ",":  # 1.234 is a thousand then
        return ("." not in cell and is_number(cell.replace(",", "."))) or is_gap(cell)
    try:
        float(cell)
    except ValueError:
        return is_gap(cell)
    return "_" not in cell


def _numeric(cell: str, decimal: str) -> bool:
    """Return whether a cell is a number, as computers or as people write it."""
    number = to_number(cell, decimal)
    return number == number


def _fit_to_rows(names: list[str], body: Sequence[Sequence[str]]) -> tuple[list[str], str]:
    """Return the names of the columns that rows have: names of rows have no name, nor have ends of lines."""
    usual = Counter(map(len, body)).most_common(1)[0][0] if body else len(names)
    if usual != len(names) + 1:
        return names, ""
    if all(is_gap(row[-1]) for row in body if len(row) == usual):
        return [*names, ""], ""
    return ["", *names], "rows have one field more than the header, so the first field is taken for the row's name"
