"""Source of the user's own table or array, whatever file it is in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Unpack

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.data.options import CommonOptions, existing_file
from deepcluster_pl.data.samples import Table
from deepcluster_pl.data.sources.array_files import ARRAY_SUFFIXES, read_arrays
from deepcluster_pl.data.tables.casts import as_numbers
from deepcluster_pl.data.tables.frame import Column, Frame, Text
from deepcluster_pl.data.tables.names import nearest
from deepcluster_pl.data.tables.opening import table_suffix
from deepcluster_pl.data.tables.preparation import Choice
from deepcluster_pl.data.tables.reading import TABLE_SUFFIXES, TextOptions, read_table
from deepcluster_pl.errors import UserError

Columns = list[str | int] | dict[str, str | list[str | int]]


class ArrayData(ClusteringData):
    """Samples of one file; labels are optional, and only scores read them.

    Args:
        path: a table (.csv, .tsv, .txt, .parquet, .feather, .xlsx; text may be compressed), whose columns are looked
            at one by one, or an array (.npy, memory-mapped; .npz, .pt, .safetensors, .mat, .h5).
        label_column: column of a table that holds known classes.
        id_column: column of a table that names the samples; null names them by an identifier, or else by row number.
        columns: feature columns of a table; null stands for all that are neither label nor id nor bookkeeping. A
            mapping says what columns are: `{zip: category}`, or `{category: [zip], leave_out: [note]}`.
        missing: what happens to gaps: `impute` fills them with the median or the usual shares, `estimate` from the
            other columns of their row, `refuse` ends the run with the place of the first.
        key: name of the array in a file that holds several.
        delimiter: between the fields of a text table: a character, or tab, space, comma, semicolon; null = guessed.
        decimal: sign before decimals, `.` or `,`; null = guessed.
        encoding: of a text table; null = guessed.
        header: whether the first line of a text table holds names; null = guessed.
        common: see `CommonOptions`.
    """

    def __init__(
        self,
        path: str | None,
        label_column: str | int | None,
        id_column: str | int | None,
        columns: Columns | None,
        missing: Literal["impute", "estimate", "refuse"] = "impute",
        key: str | None = None,
        delimiter: str | None = None,
        decimal: Literal[".", ","] | None = None,
        encoding: str | None = None,
        header: bool | None = None,
        **common: Unpack[CommonOptions],
    ) -> None:
        super().__init__(common)
        self.path = path
        self.label_column = None if label_column is None else str(label_column)
        self.id_column = None if id_column is None else str(id_column)
        self.columns = columns
        self.missing = missing
        self.key = key
        self.text_options = TextOptions(delimiter, decimal, encoding, header)
        special = [name for name in (self.label_column, self.id_column) if name is not None]
        only, typed = _chosen(columns)
        self.choice = Choice(only, typed, missing == "refuse", special, estimates_gaps=missing == "estimate")

    def load(self) -> Table:
        """Read the file by its suffix."""
        path = existing_file(self.path, "data.path")
        suffix = table_suffix(path)
        if suffix in TABLE_SUFFIXES:
            return self._from_frame(read_table(path, self.text_options))
        if suffix in ARRAY_SUFFIXES:
            for option in ("label_column", "id_column", "columns"):
                if getattr(self, option) is not None:
                    raise UserError(f"data.{option} is for tables; a {suffix} file has no columns with names")
            return self._from_array(*read_arrays(path, self.key), path)
        known = ", ".join((*TABLE_SUFFIXES, *ARRAY_SUFFIXES))
        raise UserError(f"data.path={path}: found the suffix {suffix!r}, expected one of {known}")

    def _from_frame(self, frame: Frame) -> Table:
        """Find ids and labels; features are made once it is known which rows are fitted."""
        if self.preparation is not None or self.choice.plain:  # new samples need neither labels nor ids
            for option in ("label_column", "id_column"):
                name = getattr(self, option)
                if name is not None and name not in frame:
                    self.report(f"{frame.source} has no column {name!r}, so there are no {option.split('_')[0]}s")
                    setattr(self, option, None)
        for name in (self.label_column, self.id_column):
            if name is not None and name not in frame:
                raise UserError(f"{frame.source} has no column {name!r}; {nearest(name, frame.names)}")
        ids = range(len(frame)) if self.id_column is None else to_ids(frame.column(self.id_column))
        labels = None if self.label_column is None else to_labels(frame.column(self.label_column), frame.decimal)
        return Table(np.empty((len(frame), 0), dtype=np.float32), ids, labels, frame=frame)

    def _from_array(self, x: NDArray[np.generic], labels: NDArray[np.generic] | None, path: Path) -> Table:
        """Make a table of an array; a single row of numbers is one feature."""
        if x.ndim == 0:
            raise UserError(f"{path.name} holds a single number, expected samples (n_samples, n_features)")
        return Table(x[:, None] if x.ndim == 1 else x, range(len(x)), labels)


def _chosen(columns: Columns | None) -> tuple[list[str] | None, dict[str, str]]:
    """Return the columns that were named, and the kinds that were typed."""
    if columns is None:
        return None, {}
    if not isinstance(columns, Mapping):
        return [str(name) for name in columns], {}
    typed: dict[str, str] = {}
    for key, value in columns.items():
        if isinstance(value, str):
            typed[str(key)] = value
        else:
            typed |= dict.fromkeys(map(str, value), str(key))
    return None, typed


def to_ids(column: Column) -> list[int | str]:
    """Return the names of samples; whole numbers stay numbers."""
    if isinstance(column, Text):
        return list(column.cells())
    if column.dtype.kind == "f" and column.ndim == 1 and bool((column == np.floor(column)).all()):
        return [int(value) for value in column.tolist()]
    return [str(value) for value in column.tolist()]


def to_labels(column: Column, decimal: str) -> NDArray[np.generic]:
    """Return labels: numbers where all cells are numbers, else text."""
    if not isinstance(column, Text):
        return column if column.dtype.kind == "f" else column.astype(str)
    numbers = as_numbers(column, decimal)
    if not (np.isnan(numbers) & (column.codes >= 0)).any():
        return numbers
    cells = column.cells()
    longest = max(map(len, cells), default=0)
    # NumPy stores each cell at the length of the longest
    return np.array(cells, dtype=object if longest * len(cells) > max(2**22, 8 * sum(map(len, cells))) else str)
