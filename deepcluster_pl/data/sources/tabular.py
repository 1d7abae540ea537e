"""Source of the user's own table or array: .npy, .npz, .csv, .tsv or .parquet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Unpack

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.data.options import CommonOptions, existing_file
from deepcluster_pl.data.samples import Table
from deepcluster_pl.data.sources.csv_reader import Columns, read_csv, shorten, to_array
from deepcluster_pl.data.sources.numpy_files import map_npy, read_npz
from deepcluster_pl.errors import UserError


class ArrayData(ClusteringData):
    """Samples of one file; labels are optional, and only scores read them.

    Args:
        path: .npy (N, ...), memory-mapped; .npz with `x` and, if known, `y`; .csv, .tsv or .parquet with a header.
        label_column: column of a table that holds known classes.
        id_column: column of a table that names the samples; null names them by row number.
        columns: feature columns of a table; null stands for all that are neither label nor id.
        common: see `CommonOptions`.
    """

    def __init__(
        self,
        path: str | None,
        label_column: str | int | None,
        id_column: str | int | None,
        columns: list[str | int] | None,
        **common: Unpack[CommonOptions],
    ) -> None:
        super().__init__(common)
        self.path = path
        self.label_column = None if label_column is None else str(label_column)
        self.id_column = None if id_column is None else str(id_column)
        self.columns = None if columns is None else [str(name) for name in columns]

    def load(self) -> Table:
        """Read the file by its suffix."""
        path = existing_file(self.path, "data.path")
        suffix = path.suffix.lower()
        if suffix in (".npy", ".npz"):
            self._refuse_column_options(suffix)
            return _to_table(map_npy(path), None, path) if suffix == ".npy" else _read_npz(path)
        if suffix in (".csv", ".tsv"):
            return self._from_columns(read_csv(path).columns, path)
        if suffix in (".parquet", ".pq"):
            return self._from_columns(_read_parquet(path), path)
        raise UserError(f"data.path={path}: found the suffix {suffix!r}, expected .npy, .npz, .csv, .tsv or .parquet")

    def _refuse_column_options(self, suffix: str) -> None:
        """Raise `UserError` where options for columns were given with a file that has none."""
        for option in ("label_column", "id_column", "columns"):
            if getattr(self, option) is not None:
                raise UserError(f"data.{option} is for tables; a {suffix} file has no columns with names")

    def _from_columns(self, table: Columns, path: Path) -> Table:
        """Choose the features, ids and labels among the columns of a table."""
        special = [name for name in (self.label_column, self.id_column) if name is not None]
        features = [name for name in table if name not in special] if self.columns is None else list(self.columns)
        missing = [name for name in [*special, *features] if name not in table]
        if missing:
            raise UserError(f"{path.name} has no column {shorten(map(repr, missing))}; found {shorten(table)}")
        twice = [name for name in features if name in special]
        if twice:
            raise UserError(f"data.columns names {', '.join(map(repr, twice))}, which is the label or the id column")
        if not features:
            raise UserError(f"{path.name} has no feature columns beside {', '.join(special)}")
        values = {name: _to_numbers(table[name]) for name in features}
        text = [name for name, numbers in values.items() if numbers is None]
        if text:
            names, first = shorten(map(repr, text)), shorten(text[:1])
            raise UserError(
                f"{path.name}: the column {names} holds text, expected numbers; type data.label_column={first} or "
                f"data.id_column={first} if it is a label or an id, or name the features: 'data.columns=[a,b]'"
            )
        x = np.stack([numbers for numbers in values.values() if numbers is not None], axis=1)
        ids = table[self.id_column].tolist() if self.id_column is not None else range(len(x))
        labels = _to_labels(table[self.label_column]) if self.label_column is not None else None
        return Table(x, ids, labels, features)


def _read_npz(path: Path) -> Table:
    """Read samples `x` and, if known, labels `y`."""
    arrays = read_npz(path, ["x", "y"])
    return _to_table(arrays["x"], arrays.get("y"), path)


def _to_table(x: NDArray[Any], labels: NDArray[Any] | None, path: Path) -> Table:
    """Make a table of an array; a single row of numbers is one feature."""
    if x.ndim == 0:
        raise UserError(f"{path.name} holds a single number, expected samples (n_samples, n_features)")
    return Table(x[:, None] if x.ndim == 1 else x, range(len(x)), labels)


def _read_parquet(path: Path) -> Columns:
    """Read the columns of a Parquet file."""
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise UserError("reading .parquet needs pyarrow; type: pip install 'deepcluster_pl[parquet]'") from error
    try:
        table = pyarrow.parquet.read_table(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path.name} cannot be read as a Parquet file: {error}") from error
    return {str(name): _without_nulls(table[name].to_numpy()) for name in table.column_names}


def _without_nulls(values: NDArray[Any]) -> NDArray[Any]:
    """Replace text cells that are null by empty text, as in a CSV."""
    if values.dtype.kind != "O":
        return values
    return np.array(["" if value is None else value for value in values.tolist()], dtype=object)


def _to_numbers(values: NDArray[Any]) -> NDArray[Any] | None:
    """Convert a column to numbers, empty cells to NaN; return None where a cell is text."""
    if values.dtype.kind in "buif":
        return values
    filled: Sequence[Any] = [
        np.nan if value is None or (isinstance(value, str) and not value.strip()) else value
        for value in values.tolist()
    ]
    try:
        return np.asarray(filled, dtype=np.float64)
    except (TypeError, ValueError):
        return None


def _to_labels(values: NDArray[Any]) -> NDArray[Any]:
    """Convert a column to numbers where all its cells are numbers, else to text."""
    numbers = _to_numbers(values)
    if numbers is not None:
        return numbers
    cells = values.tolist()
    return to_array(cells) if all(isinstance(cell, str) for cell in cells) else values.astype(str)
