"""Read a table of any format by its suffix."""

from __future__ import annotations

from pathlib import Path

from deepcluster_pl.data.tables.dialect import GUESSED
from deepcluster_pl.data.tables.dialect import Options as TextOptions
from deepcluster_pl.data.tables.frame import Frame
from deepcluster_pl.data.tables.opening import table_suffix

__all__ = ["TABLE_SUFFIXES", "TextOptions", "read_table"]

_TEXT = (".csv", ".tsv", ".txt")
_COLUMNAR = (".parquet", ".pq", ".feather", ".arrow")
_SHEETS = (".xlsx",)
TABLE_SUFFIXES = (*_TEXT, *_COLUMNAR, *_SHEETS)


def read_table(path: Path, options: TextOptions = GUESSED) -> Frame:
    """Return the columns of a table.

    Args:
        path: the file.
        options: what the user says about a table of text.

    Raises:
        UserError: the file cannot be read, or is no table.
    """
    suffix = table_suffix(path)
    if suffix in _COLUMNAR:
        from deepcluster_pl.data.tables.columnar import read_columnar

        return read_columnar(path, suffix)
    if suffix in _SHEETS:
        from deepcluster_pl.data.tables.spreadsheet import read_spreadsheet

        return read_spreadsheet(path, options)
    from deepcluster_pl.data.tables.text_table import read_text_table

    return read_text_table(path, options)
