"""The interface of every encoder, and the words of a refusal."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.tables.frame import Frame
from deepcluster_pl.errors import UserError


class Fact(NamedTuple):
    """A fact that is typical of some rows in one column, in the column's own words.

    Attributes:
        column: name of the column.
        value: of these rows.
        of_all: of all rows.
        difference: between the two, in standard deviations of all rows.
        words: the same in a few words, for the name of a group.
    """

    column: str
    value: str
    of_all: str
    difference: float
    words: str = ""


class Encoder(ABC):
    """Makes one column, or several alike, into features.

    Attributes:
        kind: of the columns.
        columns: their names.
    """

    kind: ClassVar[str]
    columns: list[str]

    @property
    @abstractmethod
    def features(self) -> list[str]:
        """Names of the F features."""

    @property
    @abstractmethod
    def blocks(self) -> list[tuple[int, float]]:
        """For each feature its block and the weight of that block.

        The features of one block share its variance: a category's columns of zeros and ones weigh together as much as
        one number. The weights of a column's blocks sum to one. Blocks are numbered from 0 within the encoder.
        """

    @abstractmethod
    def encode(self, frame: Frame, refuses_gaps: bool) -> NDArray[np.float64]:
        """Return the features (N, F) of a table.

        Args:
            frame: the table; it holds the columns.
            refuses_gaps: whether a gap is an error.
        """

    @property
    def n_marks(self) -> int:
        """Number of features that mark gaps; they are the last ones."""
        return 0

    def find_gaps(self, frame: Frame) -> NDArray[np.bool_] | None:
        """Return which cells (N, columns) are gaps that the other columns may fill; None where none ever is."""
        return None

    @property
    def column_of_feature(self) -> list[int]:
        """Return for each feature that is no mark the number of its column among `columns`."""
        return [0] * (len(self.features) - self.n_marks)

    def check(self, frame: Frame) -> None:  # noqa: B027 - most encoders make no numbers that float32 cannot hold
        """Raise `UserError` for the first cell whose number float32 cannot hold; called where there is one."""

    @abstractmethod
    def describe(self, x: NDArray[np.float64], x_of_all: NDArray[np.float64]) -> list[Fact]:
        """Return what is typical of some rows.

        Args:
            x: features (n, F) of these rows.
            x_of_all: features (N, F) of all rows.
        """

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return everything the encoder knows as plain values."""

    @classmethod
    @abstractmethod
    def from_json(cls, node: Mapping[str, Any]) -> Encoder:
        """Return the encoder that `to_json` described."""


def refuse_gaps(frame: Frame, name: str, is_gap: NDArray[np.bool_]) -> None:
    """Raise `UserError` for the first gap of a column."""
    if is_gap.any():
        row = int(np.flatnonzero(is_gap)[0])
        raise UserError(
            f"{frame.source}: {int(is_gap.sum())} of {len(is_gap)} cells of {name!r} are gaps, the first in "
            f"{frame.place(row)}; type data.missing=impute, or fill them"
        )


def cell_error(frame: Frame, name: str, row: int, found: str, expected: str) -> UserError:
    """Return the error about one cell, which names its column and row."""
    return UserError(f"{frame.source}, {frame.place(row)}: column {name!r} holds {found[:80]}, expected {expected}")


def gap_weight(share: float) -> float:
    """Return the weight of the feature that marks gaps, from the share of gaps; the value keeps the rest."""
    return GAP_WEIGHT * share * (1 - share)


GAP_WEIGHT = 1.0


def readable(value: float) -> str:
    """Return a number as people write it.

    >>> readable(61790.2), readable(0.01234), readable(12.345), readable(1e9), readable(3e-9), readable(-2)
    ('61,790', '0.0123', '12.3', '1,000,000,000', '3e-09', '-2')
    """
    size = abs(value)
    if (value == round(value) and size < 1e15) or size >= 1000:
        return f"{value:,.0f}" if size < 1e15 else f"{value:.3g}"
    text = f"{value:.3g}"
    return text if "e" in text else f"{float(text):,}".removesuffix(".0")


def standardized_difference(x: NDArray[np.float64], x_of_all: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the difference (F,) of two means in standard deviations of all rows; 0 for a constant."""
    spread = x_of_all.std(axis=0)
    difference = x.mean(axis=0) - x_of_all.mean(axis=0)
    return np.asarray(np.divide(difference, spread, out=np.zeros_like(difference), where=spread > 0))


def column_names(node: Mapping[str, Any]) -> list[str]:
    """Return the names of columns in a stored encoder; raise `ValueError` where they are none."""
    names = node["columns"]
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names) or not names:
        raise ValueError("names of columns are missing")
    return list(names)
