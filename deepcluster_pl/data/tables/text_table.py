"""Read a text table with pandas, a piece at a time: plain numbers into one array, everything else as distinct text."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from deepcluster_pl.data.tables.dialect import GUESSED, Dialect, Options, guess_dialect, guess_encoding
from deepcluster_pl.data.tables.frame import Column, Frame
from deepcluster_pl.data.tables.text_pieces import GrowingRows, HoldsTextError, MergedLevels, read_pieces
from deepcluster_pl.data.tables.text_source import MAX_LINE, CellFinder, TextSource, check_lines
from deepcluster_pl.errors import UserError, first_line

_HEAD = 2**20
_RESTARTS = 3


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
    return _read_source(TextSource(path), options, as_text)


def read_text(text: str, path: Path, options: Options = GUESSED) -> Frame:
    """Read a table of text in memory.

    Args:
        text: the table.
        path: the file that it is from, for messages.
        options: what the user says about it.
    """
    return _read_source(TextSource(path, text.encode("utf-8", "replace")), options._replace(encoding="utf-8"), False)


def _read_source(path: TextSource, options: Options, as_text: bool) -> Frame:
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


def _read(path: TextSource, options: Options, as_text: bool) -> Frame:
    """Guess the dialect, then read in pieces; begin again where a column of numbers turns out to hold text."""
    with path.open() as stream:
        head = stream.read(_HEAD)
        while head.count(b"\n") < 3 and len(head) < 2 * MAX_LINE and (more := stream.read(_HEAD)):
            head += more
        is_whole = not stream.read(1)
    encoding = options.encoding or guess_encoding(head)
    text = io.TextIOWrapper(io.BytesIO(head), encoding, errors="ignore", newline="").read()
    check_lines(text, path)
    dialect = guess_dialect(text, encoding, options, path.name, is_whole)
    dialect.row_bytes = len(head) / max(1, head.count(b"\n"))
    dialect.has_padding = f"{dialect.delimiter} " in text
    plain = [False] * len(dialect.names) if as_text else list(dialect.plain)
    for _ in range(_RESTARTS):
        try:
            return _read_whole(path, dialect, plain)
        except HoldsTextError as error:
            plain[error.column] = False
    return _read_whole(path, dialect, [False] * len(plain))


def _read_whole(path: TextSource, dialect: Dialect, plain: list[bool]) -> Frame:
    """Read all rows; raise `HoldsTextError` for a column that was taken for plain numbers."""
    numbers = [i for i, is_plain in enumerate(plain) if is_plain]
    texts = [i for i, is_plain in enumerate(plain) if not is_plain]
    merged = {i: MergedLevels() for i in texts}
    rows = GrowingRows(len(numbers), 0 if dialect.row_bytes == 0 else int(1.25 * path.n_bytes / dialect.row_bytes))
    for piece in read_pieces(path, dialect, numbers, texts):
        rows.add(piece[0])
        for i in texts:
            merged[i].add(*piece[1][i])
    matrix = rows.matrix()
    if not len(matrix):
        raise UserError(f"{path.name}: found no rows, expected a header and rows")
    names = dialect.names
    others: dict[str, Column] = {names[i]: merged[i].text() for i in texts}
    look_up = CellFinder(path, dialect)
    return Frame(
        path.name, names, matrix, [names[i] for i in numbers], others, tuple(sorted(dialect.nameless)),
        remarks=list(dialect.remarks), place=look_up.place, gap_text=look_up.text, decimal=dialect.decimal,
    )  # fmt: skip
