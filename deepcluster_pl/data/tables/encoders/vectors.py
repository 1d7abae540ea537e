"""A column of lists of one length, such as embeddings: each place of the list is a feature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.tables.casts import as_vectors
from deepcluster_pl.data.tables.encoders.base import Encoder, Fact, cell_error, column_names, refuse_gaps
from deepcluster_pl.data.tables.frame import Frame
from deepcluster_pl.errors import UserError


class Vectors(Encoder):
    """A column of lists.

    Args:
        column: its name.
        mean: mean (D,) of the fitted rows, which fills gaps.
        is_alone: whether it is the only column, so that its places are features like any other.
    """

    kind = "list"

    def __init__(self, column: str, mean: list[float], is_alone: bool) -> None:
        self.columns = [column]
        self.mean = np.array(mean, dtype=np.float64)
        self.is_alone = is_alone

    @classmethod
    def fit(cls, frame: Frame, rows: NDArray[np.int64], column: str, is_alone: bool) -> Vectors:
        """Measure the mean of the fitted rows."""
        x = as_vectors(frame.column(column))
        if x is None:
            raise UserError(f"{frame.source}: column {column!r} holds no lists of one length")
        with np.errstate(invalid="ignore"):
            known = x[rows][~np.isnan(x[rows]).any(axis=1)]
        if not len(known):
            raise UserError(f"{frame.source}: column {column!r} holds no lists without gaps")
        return cls(column, known.mean(axis=0).tolist(), is_alone)

    @property
    def features(self) -> list[str]:
        """Return a name for each place."""
        return [f"{self.columns[0]}[{i}]" for i in range(len(self.mean))]

    @property
    def blocks(self) -> list[tuple[int, float]]:
        """Return one block for the whole list beside other columns, or else one for each place."""
        return [(i if self.is_alone else 0, 1.0) for i in range(len(self.mean))]

    def encode(self, frame: Frame, refuses_gaps: bool) -> NDArray[np.float64]:
        """Return the lists (N, D); a gap gets the mean."""
        name = self.columns[0]
        x = as_vectors(frame.column(name))
        if x is None or x.shape[1] != len(self.mean):
            found = "something else" if x is None else f"lists of {x.shape[1]}"
            raise UserError(
                f"{frame.source}: column {name!r} holds {found}, expected lists of {len(self.mean)} numbers"
            )
        is_gap = np.isnan(x)
        if refuses_gaps:
            refuse_gaps(frame, name, np.asarray(is_gap.any(axis=1)))
        with np.errstate(invalid="ignore"):
            is_wrong = np.abs(x) > np.finfo(np.float32).max
        if is_wrong.any():
            row = int(np.flatnonzero(is_wrong.any(axis=1))[0])
            raise cell_error(frame, name, row, "an infinite or huge number", "numbers that float32 can hold")
        return np.where(is_gap, self.mean, x) if is_gap.any() else x

    def describe(self, x: NDArray[np.float64], x_of_all: NDArray[np.float64]) -> list[Fact]:
        """Return nothing: places of a list have no meaning of their own."""
        return []

    def to_json(self) -> dict[str, Any]:
        """Return what the encoder knows."""
        return {"kind": self.kind, "columns": self.columns, "mean": self.mean.tolist(), "is_alone": self.is_alone}

    @classmethod
    def from_json(cls, node: Mapping[str, Any]) -> Vectors:
        """Return the encoder that `to_json` described."""
        mean = [float(value) for value in node["mean"]]
        return cls(column_names(node)[0], mean, bool(node["is_alone"]))
