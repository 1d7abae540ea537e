"""Read the first sheet of a spreadsheet by python-calamine."""

from __future__ import annotations

import csv
import datetime
import io
import re
import zipfile
from pathlib import Path
from typing import IO, Any

from deepcluster_pl.data.tables.dialect import Options
from deepcluster_pl.data.tables.frame import Frame
from deepcluster_pl.data.tables.opening import MAX_INFLATION, inflation_limit
from deepcluster_pl.data.tables.text_table import read_text
from deepcluster_pl.errors import UserError, first_line

_MAX_CELLS = 50_000_000
_PIECE, _LONGEST_REFERENCE = 2**20, 16
_REFERENCE = re.compile(rb' r="([A-Z]{1,3})([0-9]{1,7})"')


def read_spreadsheet(path: Path, options: Options) -> Frame:
    """Read the first sheet that holds anything.

    Args:
        path: an .xlsx file.
        options: `header` says whether the first row holds names.

    Raises:
        UserError: python-calamine is missing, or the file is damaged or would grow beyond measure.
    """
    try:
        from python_calamine import CalamineWorkbook
    except ImportError as error:
        raise UserError("reading .xlsx needs python-calamine; type: pip install 'deepcluster_pl[excel]'") from error
    try:
        _check_size(path)
        with CalamineWorkbook.from_path(str(path)) as book:
            for i in range(len(book.sheet_names)):
                sheet = book.get_sheet_by_index(i)
                if sheet.total_height * sheet.total_width > _MAX_CELLS:
                    raise ValueError(f"sheet {sheet.name[:40]!r} has more than {_MAX_CELLS:,} cells")
                if rows := sheet.to_python(skip_empty_area=True):
                    frame = read_text(_as_csv(rows), path, options._replace(delimiter=",", decimal="."))
                    if len(book.sheet_names) > 1:
                        frame.remarks.append(f"sheet {sheet.name!r}, the first of {len(book.sheet_names)}")
                    return frame
    except UserError:
        raise
    except BaseException as error:  # a damaged file can make the reader fail in any way, even by its own panic
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        raise UserError(f"{path.name} cannot be read as a spreadsheet: {first_line(error)[:300]}") from error
    raise UserError(f"{path.name}: found no cells, expected a header and rows")


def _check_size(path: Path) -> None:
    """Raise `ValueError` for an archive that would grow beyond a multiple of its size, or a cell that is far off."""
    with zipfile.ZipFile(path) as archive:
        grown = sum(member.file_size for member in archive.infolist())
        if grown > inflation_limit(path.stat().st_size):
            raise ValueError(f"it would grow to {grown:,} bytes, more than {MAX_INFLATION} times its size")
        # The library makes room for every cell up to the last one, before it can be asked how many there are
        for member in archive.infolist():
            if member.filename.startswith("xl/worksheets/"):
                with archive.open(member) as sheet:
                    _check_cells(sheet)


def _check_cells(sheet: IO[bytes]) -> None:
    """Raise `ValueError` where the cells of a sheet, whose XML is read in pieces, span more than a table may have."""
    last_row, last_column, rest = 0, 0, b""
    while piece := sheet.read(_PIECE):
        text = rest + piece
        for letters, digits in _REFERENCE.findall(text):
            last_row = max(last_row, int(digits))
            column = 0
            for letter in letters:
                column = 26 * column + letter - 64
            last_column = max(last_column, column)
        if last_row * last_column > _MAX_CELLS:
            raise ValueError(
                f"its cells reach row {last_row:,} and column {last_column:,}, more than {_MAX_CELLS:,} cells; delete "
                f"what stands far off, or save the sheet as .csv"
            )
        rest = text[-_LONGEST_REFERENCE:]


def _as_csv(rows: list[list[Any]]) -> str:
    """Return cells as a table of text, so that they are looked at as those of any other table."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([_cell(value) for value in row] for row in rows)
    return file.getvalue()


def _cell(value: Any) -> str:
    """Return one cell as text; whole numbers and midnights without their ends."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime.datetime):
        text = value.isoformat(sep=" ", timespec="seconds")
        return text.removesuffix(" 00:00:00")
    return str(value)
