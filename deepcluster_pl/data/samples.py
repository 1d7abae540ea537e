"""Samples of a source: rows with an id each and labels if there are any, and a part of them as a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from deepcluster_pl.data.mapped_files import check_whole, copy_whole

if TYPE_CHECKING:
    from deepcluster_pl.data.tables.frame import Frame

Batch = tuple[Tensor, Tensor]
"""Samples x (B, *input_shape) and their row numbers (B,) within the part; never a label."""


@dataclass(frozen=True)
class Table:
    """All samples of a source.

    Attributes:
        x: samples (N, *input_shape) of any number type; a memory map is left on disk.
        ids: the user's name of each sample, such as a row number or a file name; all N distinct.
        labels: known classes (N,), or None; only scores ever read them.
        feature_names: names of a table's columns, or None.
        order: row (N,) of `x` that holds each sample; None where `x` holds the samples in their order and nothing else.
        copies: distorted copies (len(x), V, *input_shape) of each row of `x`, or None.
        frame: columns that `x` is yet to be made from, once it is known which rows are fitted; None for most sources.
        blocks: block (F,) of each feature, and the weight (F,) of its block; see `Scaling`. None = all weigh alike.
    """

    x: NDArray[Any]
    ids: Sequence[int | str]
    labels: NDArray[Any] | None = None
    feature_names: Sequence[str] | None = None
    order: NDArray[np.int64] | None = None
    copies: NDArray[Any] | None = None
    frame: Frame | None = None
    blocks: tuple[NDArray[np.int64], NDArray[np.float64]] | None = None

    @property
    def n(self) -> int:
        """Number N of samples."""
        return len(self.x) if self.order is None else len(self.order)


class SelectedIds(Sequence[int | str]):
    """Ids of some rows, looked up when they are asked for: ten million names need not be copied."""

    def __init__(self, ids: Sequence[int | str], rows: NDArray[np.int64]) -> None:
        self._ids = ids
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return self._ids[self._rows[index]]


class Part(Dataset[Batch]):
    """Rows of a table that are fitted, or those held out; positions count within the part.

    Args:
        table: all samples.
        rows: row numbers (N,) of the part's samples.
    """

    def __init__(self, table: Table, rows: NDArray[np.int64]) -> None:
        self._table = table
        self.rows = rows
        self._x_rows = rows if table.order is None else table.order[rows]
        self.ids: Sequence[int | str] = SelectedIds(table.ids, rows)
        self.labels: NDArray[Any] | None = None if table.labels is None else np.asarray(table.labels)[rows]
        self.feature_names = None if table.feature_names is None else list(table.feature_names)
        self.blocks = table.blocks

    def only(self, rows: slice | NDArray[np.int64]) -> Part:
        """Return the samples at these positions as a part of their own."""
        return Part(self._table, self.rows[rows])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Batch:
        x, indices = self.__getitems__([index])
        return x[0], indices[0]

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """Return a whole batch by one indexing call: bytes stay bytes, every other number becomes float32."""
        return torch.from_numpy(self.take(np.asarray(indices, dtype=np.int64))), torch.tensor(indices)

    def take(self, indices: NDArray[np.int64]) -> NDArray[Any]:
        """Return the samples (B, *input_shape) at these positions, as bytes or float32."""
        check_whole(self._table.x)
        x = np.asarray(self._table.x[self._x_rows[indices]])
        return x if x.dtype == np.uint8 else x.astype(np.float32, copy=False)

    @property
    def n_copies(self) -> int:
        """Number V of distorted copies of each sample."""
        return 0 if self._table.copies is None else self._table.copies.shape[1]

    def take_copies(self, indices: NDArray[np.int64], which: NDArray[np.int64]) -> NDArray[Any]:
        """Return one distorted copy of each sample.

        Args:
            indices: positions (B,) of the samples.
            which: number (B,) of the copy of each: 0 is the sample itself, V the last.

        Returns:
            Copies (B, *input_shape).
        """
        x = self.take(indices)
        if self._table.copies is not None:
            check_whole(self._table.copies)
            distorted = np.flatnonzero(which)
            x[distorted] = self._table.copies[self._x_rows[indices[distorted]], which[distorted] - 1]
        return x

    def load_all(self) -> NDArray[Any]:
        """Return all samples (N, *input_shape) in memory, in their own type; copied only where that is needed."""
        x, n = self._table.x, len(self.rows)
        whole = n == len(x) and bool((self._x_rows == np.arange(n)).all())
        if whole:
            return x if not self.is_mapped and x.flags.writeable else copy_whole(x)
        check_whole(x)
        return np.array(x[self._x_rows])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the results of `take`: uint8 or float32."""
        return np.dtype(np.uint8 if self._table.x.dtype == np.uint8 else np.float32)

    @property
    def is_mapped(self) -> bool:
        """Return True if the samples are a memory map of a file."""
        return isinstance(self._table.x, np.memmap)

    @property
    def n_bytes(self) -> int:
        """Size of all samples in their own type."""
        return len(self) * int(np.prod(self._table.x.shape[1:])) * self._table.x.dtype.itemsize

    def slices(self, size: int) -> list[NDArray[np.int64]]:
        """Return all positions of the part in order, cut into runs of at most `size`."""
        positions = np.arange(len(self), dtype=np.int64)
        return [positions[start : start + size] for start in range(0, len(self), size)]
