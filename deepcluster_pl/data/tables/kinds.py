"""Decide once what each column of a table is: a number, a category, a date, a row index ..."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.tables.casts import as_vectors
from deepcluster_pl.data.tables.cells import to_dates, to_numbers, to_yes_no
from deepcluster_pl.data.tables.frame import Column, Frame, Text
from deepcluster_pl.data.tables.names import nearest
from deepcluster_pl.errors import UserError

Kind = Literal[
    "number", "yes_no", "category", "date", "text", "list", "identifier", "row_index", "constant", "empty", "unusable",
    "leave_out",
]  # fmt: skip
FEATURE_KINDS = ("number", "yes_no", "category", "date", "text", "list")
"""Kinds that are made into features; the others are left out."""
TYPED_KINDS = (*FEATURE_KINDS, "leave_out")
"""Kinds that a person may type."""
_INDEX_NAME = re.compile(r"Unnamed: \d+(_level_\d+)?|__index_level_\d+__|index|level_0|row_?(id|names?|num(ber)?)?|#|")
_ID_NAME = re.compile(
    r"(.*[\W_])?(?i:id|ids|uuid|guid|identifier|key)|.*[a-z](Id|ID|Key|UUID)|(?i:id)[\W_].*|(?i:uuid|guid)[\W_]?.*"
)
_SURE_ROWS, _SOME_ROWS = 20, 10
_OTHER_WORDS, _NUMERIC_SHARE = 3, 0.9
_TEXT_WORDS, _TEXT_LENGTH = 4, 40
_SAMPLE = 500


class Decided(NamedTuple):
    """The kind of a column.

    Attributes:
        kind: see `Kind`.
        reason: words on why it is left out; empty for features.
    """

    kind: Kind
    reason: str = ""


def decide_kinds(
    frame: Frame, rows: NDArray[np.int64], names: Sequence[str], typed: Mapping[str, str]
) -> dict[str, Decided]:
    """Return the kind of each column.

    Args:
        frame: the table.
        rows: the fitted rows; only they are looked at, but for the search of a row index.
        names: columns to decide about, in the order of the result.
        typed: kinds that the user typed, by name.

    Raises:
        UserError: a typed kind or its column does not exist.
    """
    for name, kind in typed.items():
        if name not in frame and name not in frame.unusable:
            raise UserError(f"data.columns: {frame.source} has no column {name!r}; {nearest(name, frame.names)}")
        if kind not in TYPED_KINDS:
            raise UserError(f"data.columns: {name!r} cannot be {kind!r}; choose from {', '.join(TYPED_KINDS)}")
    numeric = _kinds_of_matrix(frame, rows, [name for name in names if name not in typed])
    decided = {}
    for name in names:
        if name in typed:
            decided[name] = Decided(typed[name], "as typed" if typed[name] == "leave_out" else "")  # type: ignore[arg-type]
        elif name in frame.unusable:
            decided[name] = Decided("unusable", frame.unusable[name])
        elif name in numeric:
            decided[name] = numeric[name]
        else:
            decided[name] = _kind_of(frame.column(name), frame, rows, name)
    return decided


def _kinds_of_matrix(frame: Frame, rows: NDArray[np.int64], names: Sequence[str]) -> dict[str, Decided]:
    """Return the kinds of plain numbers, all columns at once."""
    places = {name: j for j, name in enumerate(frame.matrix_names)}
    chosen = [name for name in names if name in places]
    if not chosen:
        return {}
    matrix = frame.matrix if len(rows) == len(frame.matrix) else frame.matrix[rows]
    low, high = frame.ranges(rows)
    n = len(frame.matrix)
    first, last = frame.matrix[0], frame.matrix[-1]
    decided = {}
    for name in chosen:
        j = places[name]
        if np.isnan(low[j]):
            decided[name] = Decided("empty", "no cell holds anything")
            continue
        counts_up = (first[j] == 0 or first[j] == 1) and last[j] == first[j] + n - 1
        if (counts_up or name in frame.index_names or _INDEX_NAME.fullmatch(name)) and _is_index(frame, j, name, n):
            decided[name] = Decided("row_index", "a row index")
        elif low[j] == high[j]:
            decided[name] = Decided("constant", f"always {low[j]:.6g}")
        elif _ID_NAME.fullmatch(name) and n >= _SOME_ROWS and _is_distinct(matrix[:, j]):
            decided[name] = Decided("identifier", "every row has its own")
        elif low[j] == 0 and high[j] == 1 and _is_binary(matrix[:, j]):
            decided[name] = Decided("yes_no")
        else:
            decided[name] = Decided("number")
    return decided


def _is_index(frame: Frame, j: int, name: str, n: int) -> bool:
    """Return whether a column counts the rows, or holds a shuffled row index without a name of its own."""
    values = frame.matrix[:, j]
    if n < 2:
        return name in frame.index_names
    has_index_name = name in frame.index_names or _INDEX_NAME.fullmatch(name) is not None
    if (n >= _SURE_ROWS or has_index_name) and bool((np.diff(values) == 1).all()):
        return True
    return has_index_name and _is_distinct(values)


def _is_distinct(values: NDArray[np.float64]) -> bool:
    """Return whether all values are whole numbers, none twice."""
    known = values[~np.isnan(values)]
    return bool((known == np.floor(known)).all()) and len(np.unique(known)) == len(known) == len(values)


def _is_binary(values: NDArray[np.float64]) -> bool:
    """Return whether all values are 0 or 1."""
    return bool(((values == 0) | (values == 1) | np.isnan(values)).all())


def _kind_of(column: Column, frame: Frame, rows: NDArray[np.int64], name: str) -> Decided:
    """Return the kind of a column that is not stored as plain numbers."""
    is_index = name in frame.index_names or _INDEX_NAME.fullmatch(name) is not None
    if not isinstance(column, Text):
        if column.ndim == 2:
            return Decided("list")
        known = column[rows][~np.isnat(column[rows])]
        n_values = len(np.unique(known))
        if n_values < 2:
            return (
                Decided("constant", f"always {known[0]}") if len(known) else Decided("empty", "no cell holds anything")
            )
        if is_index and n_values == len(rows):
            return Decided("row_index", "a row index")
        return Decided("date")
    return _kind_of_text(column.take(rows), frame.decimal, name, is_index)


def _kind_of_text(column: Text, decimal: str, name: str, is_index: bool) -> Decided:
    """Return the kind of a column of text, from its fitted cells."""
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.levels))
    present = counts > 0
    levels, counts = column.levels[present], counts[present]
    n = int(counts.sum())
    if n == 0:
        return Decided("empty", "no cell holds anything")
    if len(levels) == 1:
        return Decided("constant", f"always {levels[0][:40]!r}")
    if is_index and len(levels) == n == len(column.codes):
        return Decided("row_index", "a row index")
    if to_yes_no(levels) is not None:
        return Decided("yes_no")
    if (decided := _number_of_text(levels, counts, decimal, name, len(column.codes))) is not None:
        return decided
    if to_dates(levels) is not None:
        return Decided("date")
    if as_vectors(Text(np.zeros(0, dtype=np.int32), levels[:_SAMPLE])) is not None:
        return Decided("list")
    # Free text, identifiers and categories differ by how often cells occur again, and how long they are
    sample = levels[np.linspace(0, len(levels) - 1, min(_SAMPLE, len(levels))).astype(int)].tolist()
    words = float(np.mean([len(cell.split()) for cell in sample]))
    length = float(np.mean([len(cell) for cell in sample]))
    share = len(levels) / n
    if share > 0.5 and n >= _SOME_ROWS and (words >= _TEXT_WORDS or (length > _TEXT_LENGTH and words > 2)):
        return Decided("text")
    if len(levels) == n and (n >= _SURE_ROWS or _ID_NAME.fullmatch(name)):
        return Decided("identifier", "every row has its own")
    if share > 0.8 and n >= 2 * _SURE_ROWS:
        return Decided("identifier", f"{len(levels)} different cells in {n} rows")
    return Decided("category")


def _number_of_text(
    levels: NDArray[np.object_], counts: NDArray[np.int64], decimal: str, name: str, n_rows: int
) -> Decided | None:
    """Return `number` where nearly all cells are numbers; the few other words are taken for gaps."""
    head = to_numbers(levels[:50], decimal)
    if np.isnan(head).mean() > 0.5:
        return None
    numbers = to_numbers(levels, decimal)
    is_number = ~np.isnan(numbers)
    words = levels[~is_number]
    if counts[is_number].sum() < _NUMERIC_SHARE * counts.sum() or len(words) > _OTHER_WORDS or not is_number.any():
        return None
    values = numbers[is_number]
    if values.min() == values.max():
        return Decided("constant", f"always {values[0]:.6g}")
    if _ID_NAME.fullmatch(name) and (counts == 1).all() and len(levels) >= _SOME_ROWS and not len(words):
        return Decided("identifier", "every row has its own")
    return Decided("number")
