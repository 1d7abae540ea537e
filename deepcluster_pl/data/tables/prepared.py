"""Make the columns of a table into samples, and describe the result in a few lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.samples import Table
from deepcluster_pl.data.tables.casts import as_text
from deepcluster_pl.data.tables.encoders.category import Category
from deepcluster_pl.data.tables.encoders.numbers import Numbers
from deepcluster_pl.data.tables.frame import Column, Frame, Text
from deepcluster_pl.data.tables.names import shorten, typed_kind
from deepcluster_pl.data.tables.preparation import Choice, Preparation, fit_preparation

_MOST_LINES = 5
_WORDS = {
    "number": "numbers", "yes_no": "yes or no", "category": "categories", "date": "dates", "text": "free text",
    "list": "lists of numbers",
}  # fmt: skip


def prepare_table(
    table: Table, rows: NDArray[np.int64], choice: Choice, known: Preparation | None, report: Callable[[str], object]
) -> tuple[Table, Preparation]:
    """Make the columns of a table into samples.

    Args:
        table: a table with a frame.
        rows: the fitted rows; kinds and encodings are measured on them alone.
        choice: what the user says about the columns.
        known: a preparation that was measured earlier; nothing is measured then.
        report: takes lines for the user.

    Returns:
        The table with samples, and its preparation.

    Raises:
        UserError: a column is missing or unusable, or a cell cannot be read.
    """
    frame = table.frame
    assert frame is not None
    preparation = fit_preparation(frame, rows, choice) if known is None else known
    x = preparation.apply(frame)
    for line in frame.remarks:
        report(f"{frame.source}: {line}")
    for line in describe_columns(preparation) if known is None else describe_new(frame, preparation, choice):
        report(line)
    if known is None and (hint := _how_to_keep(frame, preparation)):
        report(hint)
    for line in describe_gaps(frame, preparation):
        report(line)
    blocks, weights = preparation.blocks
    is_plain = len(np.unique(blocks)) == len(blocks) and bool((weights == 1).all())
    ids = _identifiers(frame, preparation) if isinstance(table.ids, range) else None
    samples = replace(
        table, x=x, feature_names=preparation.feature_names, frame=None, ids=table.ids if ids is None else ids,
        blocks=None if is_plain else (blocks, weights),
    )  # fmt: skip
    return samples, preparation


def describe_columns(preparation: Preparation) -> list[str]:
    """Return a line for each kind of column, and one for those left out."""
    by_kind: dict[str, list[str]] = {}
    for encoder in preparation.encoders:
        if isinstance(encoder, Numbers):
            for name, kind in zip(encoder.columns, encoder.kinds, strict=True):
                by_kind.setdefault(kind, []).append(name)
        elif isinstance(encoder, Category):
            others = " and others" if encoder.shares[-1] > 0 else ""
            by_kind.setdefault("category", []).append(f"{encoder.columns[0]} ({len(encoder.levels)}{others})")
        else:
            by_kind.setdefault(encoder.kind, []).append(encoder.columns[0])
    lines = [f"columns, {_WORDS[kind]}: {shorten(names)}" for kind, names in by_kind.items()]
    left_out = describe_left_out(preparation)
    return [*lines, left_out] if left_out else lines


def describe_left_out(preparation: Preparation) -> str:
    """Return a line about the columns that are no features; empty where there are none."""
    left_out = [f"{name} ({decided.reason})" for name, decided in preparation.left_out.items()]
    return f"columns left out: {shorten(left_out)}" if left_out else ""


def _how_to_keep(frame: Frame, preparation: Preparation) -> str:
    """Return a line that says how to use a column that was left out; empty where none could be of use."""
    for name, decided in preparation.left_out.items():
        if decided.kind in ("identifier", "row_index"):
            kind = "number" if name in frame.matrix_names else "category"
            return f"to use {name[:80]!r} all the same, type {typed_kind(kind, name)}"
    return ""


def describe_new(frame: Frame, preparation: Preparation, choice: Choice) -> list[str]:
    """Return lines about a table of new samples: columns that are not used, and categories that were never seen."""
    used = {*preparation.columns, *preparation.left_out, *choice.special}
    lines = []
    if extra := [name for name in frame.names if name not in used]:
        lines.append(f"{frame.source}: not used, because the run did not know them: {shorten(extra)}")
    for encoder in preparation.encoders:
        if isinstance(encoder, Category):
            name, column = encoder.columns[0], as_text(frame.column(encoder.columns[0]))
            present = np.bincount(column.codes[column.codes >= 0], minlength=len(column.levels))
            known = set(encoder.levels)
            new = [i for i, level in enumerate(column.levels) if level[:200] not in known and present[i]]
            if new and not encoder.shares[-1] > 0:
                cells = int(present[new].sum())
                lines.append(
                    f"{frame.source}: {cells} of {len(column.codes)} cells of {name!r} were never seen in the fit, "
                    f"such as {str(column.levels[new[0]])[:40]!r}; they count like gaps"
                )
    return lines[: _MOST_LINES + 1]


def describe_gaps(frame: Frame, preparation: Preparation) -> list[str]:
    """Return a line for each column with gaps, and how they are filled."""
    lines: list[str] = []
    rest: list[str] = []
    for name, is_gap in _gaps(frame, preparation):
        count = int(is_gap.sum())
        if len(lines) >= _MOST_LINES:
            rest.append(f"{name} ({count})")
            continue
        row = int(np.flatnonzero(is_gap)[0])
        text = _cell(frame, row, name)
        found = f"{text[:40]!r}" if text else "empty"
        cells = f"{count} of {len(is_gap)} cells of {name!r}"
        lines.append(
            f"gaps: {cells} is {found} ({frame.place(row)})"
            if count == 1
            else f"gaps: {cells}, the first {found} ({frame.place(row)})"
        )
    how = "from the other columns" if preparation.filler else "with the median or the usual shares"
    if rest:
        lines.append(f"gaps also in {shorten(rest)}")
    if lines:
        lines.append(f"gaps are filled {how}; data.missing=refuse refuses them")
    return lines


def _gaps(frame: Frame, preparation: Preparation) -> list[tuple[str, NDArray[np.bool_]]]:
    """Return the columns with gaps, and where they are."""
    found: list[tuple[str, NDArray[np.bool_]]] = []
    for encoder in preparation.encoders:
        if isinstance(encoder, Numbers) and (places := frame.positions(encoder.columns)) is not None:
            sums = np.isnan(frame.matrix.sum(axis=0))  # one pass; infinities were refused before
            found += [
                (name, np.isnan(frame.matrix[:, j])) for name, j in zip(encoder.columns, places, strict=True) if sums[j]
            ]
        else:
            for name in encoder.columns:
                words = set(encoder.words.get(name, ())) if isinstance(encoder, Numbers) else set()
                is_gap = _is_gap(frame.column(name), words)
                if is_gap.any():
                    found.append((name, is_gap))
    return found


def _is_gap(column: Column, words: set[str]) -> NDArray[np.bool_]:
    """Return which cells are gaps, or words that are taken for gaps."""
    if isinstance(column, Text):
        is_gap = np.array([level[:80] in words for level in column.levels.tolist()] + [True])
        return np.asarray(is_gap[column.codes])
    if column.dtype.kind == "M":
        return np.asarray(np.isnat(column))
    return np.asarray(np.isnan(column) if column.ndim == 1 else np.isnan(column).any(axis=1))


def _cell(frame: Frame, row: int, name: str) -> str:
    """Return a gap as it stands in the file, as far as that is known."""
    column = frame.column(name)
    if isinstance(column, Text) and column.codes[row] >= 0:
        return str(column.levels[column.codes[row]])
    return frame.gap_text(row, name)


def _identifiers(frame: Frame, preparation: Preparation) -> list[int | str] | None:
    """Return the first identifier without gaps, which names the samples; None where there is none."""
    for name, decided in preparation.left_out.items():
        if decided.kind == "identifier" and name in frame:
            column = frame.column(name)
            if isinstance(column, Text):
                if len(column.levels) == len(column.codes) and (column.codes >= 0).all():
                    return list(column.cells())
            elif column.dtype.kind == "f" and len(np.unique(column)) == len(column) and np.isfinite(column).all():
                return [int(value) for value in column.tolist()]
    return None
