"""Guess how a text table is written, from its first lines: encoding, delimiter, decimal sign, header, plain numbers."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from deepcluster_pl.data.tables.delimiters import WHITESPACE, first_rows, guess_delimiter
from deepcluster_pl.data.tables.header import (
    LONGEST_NAME,
    count_title_rows,
    fit_to_rows,
    guess_decimal,
    has_header,
    is_plain_number,
)
from deepcluster_pl.data.tables.names import distinct_names, one_line
from deepcluster_pl.errors import UserError

Header = Literal["auto", "true", "false"]
_NAMES = {"tab": "\t", "space": WHITESPACE, "comma": ",", "semicolon": ";", "pipe": "|"}


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
    delimiter = delimiter or guess_delimiter(lines)
    rows, n_lines = first_rows(lines, delimiter, source)
    if not rows:
        raise UserError(f"{source}: found an empty file, expected a header and rows")
    if title := 0 if options.header is False else count_title_rows(rows):
        shown = one_line(" ".join(filter(None, rows[0])))[:LONGEST_NAME]
        remarks.append(
            f"the first line{'s' * (title > 1)}, {shown!r}, stand{'s' * (title == 1)} above the names of columns"
        )
        rows, n_lines = rows[title:], n_lines[title:]
    body = rows[1:]
    decimal = options.decimal or guess_decimal(body or rows, delimiter)
    if decimal not in (".", ","):
        raise UserError(f"data.decimal={decimal}: expected . or ,")
    names, extra = [name.strip() for name in rows[0]], ""
    named = options.header if options.header is not None else has_header(names, body, decimal, source)
    if named:
        skipped += n_lines[0]
        names, extra = fit_to_rows(names, body)
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
    nameless = {f"column_{i}" for i, name in enumerate(names) if not name and named}
    names = [name or f"column_{i}" for i, name in enumerate(names)]
    names, repeated = distinct_names(names)
    remarks += [repeated] if repeated else []
    plain = [True] * len(names)
    for row in body:
        for i, cell in enumerate(row[: len(names)]):
            plain[i] = plain[i] and is_plain_number(cell, decimal)
    return Dialect(encoding, skipped, delimiter, decimal, names, nameless, plain, remarks)
