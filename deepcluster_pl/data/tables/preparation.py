"""The preparation of a table: the kind of each column and how it becomes numbers, measured on the fitted rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.tables.encoders.base import Encoder, Fact
from deepcluster_pl.data.tables.encoders.category import Category
from deepcluster_pl.data.tables.encoders.date import Date
from deepcluster_pl.data.tables.encoders.free_text import FreeText
from deepcluster_pl.data.tables.encoders.numbers import Numbers
from deepcluster_pl.data.tables.encoders.vectors import Vectors
from deepcluster_pl.data.tables.frame import Frame
from deepcluster_pl.data.tables.gap_filling import FEWEST_ROWS, MOST_FEATURES, GapFiller
from deepcluster_pl.data.tables.kinds import FEATURE_KINDS, Decided, decide_kinds
from deepcluster_pl.data.tables.names import nearest, shorten
from deepcluster_pl.errors import UserError, first_line

SCHEMA = 1
_ENCODERS: dict[str, type[Encoder]] = {
    encoder.kind: encoder for encoder in (Numbers, Category, Date, FreeText, Vectors)
}
_MOST_FEATURES = 1_000_000


class Choice(NamedTuple):
    """The user's words about the columns.

    Attributes:
        only: names of the features; None for all columns that can be features.
        typed: kinds by name.
        refuses_gaps: whether a gap is an error.
        special: columns of labels and ids, which are no features.
        plain: whether every column is a number, as for a model that knows no names of columns.
        estimates_gaps: whether gaps are estimated from the other columns of their row.
    """

    only: Sequence[str] | None = None
    typed: Mapping[str, str] = {}
    refuses_gaps: bool = False
    special: Sequence[str] = ()
    plain: bool = False
    estimates_gaps: bool = False


class Preparation:
    """Everything that makes a table into samples.

    Args:
        encoders: in the order of their features.
        left_out: columns that are no features: kind and reason by name.
        refuses_gaps: whether a gap is an error.
        filler: fills gaps from the other columns; None leaves the medians and usual shares of the encoders.
    """

    def __init__(
        self,
        encoders: Sequence[Encoder],
        left_out: Mapping[str, Decided],
        refuses_gaps: bool,
        filler: GapFiller | None = None,
    ) -> None:
        self.filler = filler
        self.encoders = list(encoders)
        self.left_out = dict(left_out)
        self.refuses_gaps = refuses_gaps

    @staticmethod
    def of_numbers(names: Sequence[str]) -> Preparation:
        """Return the preparation of a model that was saved when tables held numbers without gaps and nothing else."""
        n = len(names)
        return Preparation([Numbers(list(names), [0.0] * n, [0.0] * n, [0.0] * n, {}, ["number"] * n)], {}, True)

    @property
    def kinds(self) -> dict[str, str]:
        """Return the kind of every column, those that are left out last."""
        kinds: dict[str, str] = {}
        for encoder in self.encoders:
            own = encoder.kinds if isinstance(encoder, Numbers) else [encoder.kind]
            kinds |= dict(zip(encoder.columns, own, strict=True))
        return kinds | {name: decided.kind for name, decided in self.left_out.items()}

    @property
    def is_plain(self) -> bool:
        """Return whether the features are columns of numbers as they are, so that an array can hold them."""
        return (
            not self.left_out
            and self.feature_names == self.columns
            and all(isinstance(encoder, Numbers) and not encoder.offsets.any() for encoder in self.encoders)
        )

    @property
    def columns(self) -> list[str]:
        """Names of the columns that the features are made from."""
        return [name for encoder in self.encoders for name in encoder.columns]

    @property
    def feature_names(self) -> list[str]:
        """Names of all features."""
        return [name for encoder in self.encoders for name in encoder.features]

    @property
    def blocks(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Block (F,) of each feature, and the weight (F,) of its block."""
        blocks, weights, start = [], [], 0
        for encoder in self.encoders:
            own = encoder.blocks
            blocks += [start + block for block, _ in own]
            weights += [weight for _, weight in own]
            start += 1 + max(block for block, _ in own)
        return np.array(blocks, dtype=np.int64), np.array(weights, dtype=np.float64)

    def apply(self, frame: Frame) -> NDArray[np.float32]:
        """Return the samples (N, F) of a table: columns in any order, others ignored.

        Raises:
            UserError: a column is missing, or a cell cannot be read as what its column is.
        """
        missing = [name for name in self.columns if name not in frame]
        if missing:
            more = "" if len(missing) == 1 else f" ({len(missing)} are missing: {shorten(missing)})"
            raise UserError(f"{frame.source} has no column {missing[0]!r}{more}; {nearest(missing[0], frame.names)}")
        widths = [len(encoder.features) for encoder in self.encoders]
        x = np.empty((len(frame), sum(widths)), dtype=np.float32)
        start = 0
        for encoder, width in zip(self.encoders, widths, strict=True):
            encoded = encoder.encode(frame, self.refuses_gaps)
            with np.errstate(over="ignore"):  # what float32 cannot hold is refused by name
                x[:, start : start + width] = encoded
                is_finite = np.isfinite(x[:, start : start + width].sum(dtype=np.float64))
            if not is_finite:
                encoder.check(frame)
            start += width
        if self.filler is not None:
            is_gap, values = self.find_gaps(frame), self.value_features
            if len(self.filler.mean) != len(values):
                raise UserError("model.json describes columns that cannot be read: covariances of other columns")
            rows = np.flatnonzero(is_gap.any(axis=1))
            x[np.ix_(rows, values)] = self.filler.fill(x[np.ix_(rows, values)], is_gap[rows])
        return x

    @property
    def value_features(self) -> NDArray[np.int64]:
        """Places of the features that are no marks of gaps."""
        places, start = [], 0
        for encoder in self.encoders:
            width = len(encoder.features)
            places += list(range(start, start + width - encoder.n_marks))
            start += width
        return np.array(places, dtype=np.int64)

    def find_gaps(self, frame: Frame) -> NDArray[np.bool_]:
        """Return which of the features that are no marks (N, F) come from gaps."""
        found = []
        for encoder in self.encoders:
            own = encoder.find_gaps(frame)
            columns = encoder.column_of_feature
            found.append(np.zeros((len(frame), len(columns)), dtype=bool) if own is None else own[:, columns])
        return np.hstack(found)

    def describe(self, x: NDArray[np.float64], x_of_all: NDArray[np.float64]) -> list[Fact]:
        """Return what is typical of some samples, a fact for each original column.

        Args:
            x: raw samples (n, F).
            x_of_all: raw samples (N, F) of all.
        """
        facts, start = [], 0
        for encoder in self.encoders:
            width = len(encoder.features)
            facts += encoder.describe(x[:, start : start + width], x_of_all[:, start : start + width])
            start += width
        return facts

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {
            "schema": SCHEMA,
            "columns": [encoder.to_json() for encoder in self.encoders],
            "left_out": {name: list(decided) for name, decided in self.left_out.items()},
            "refuses_gaps": self.refuses_gaps,
            "filler": None if self.filler is None else self.filler.to_json(),
        }

    @staticmethod
    def from_json(node: Any) -> Preparation:
        """Return the preparation that `to_json` described.

        Raises:
            UserError: it is damaged; nothing in it is executed.
        """
        try:
            if node["schema"] != SCHEMA:
                raise ValueError(f"found schema {node['schema']}, expected {SCHEMA}")
            encoders = [_ENCODERS[column["kind"]].from_json(column) for column in node["columns"]]
            left_out = {str(name): Decided(*map(str, decided)) for name, decided in node["left_out"].items()}  # type: ignore[arg-type]
            filler = None if node.get("filler") is None else GapFiller.from_json(node["filler"])
            return Preparation(encoders, left_out, bool(node["refuses_gaps"]), filler)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise UserError(f"model.json describes columns that cannot be read: {first_line(error)[:200]}") from error


def fit_preparation(frame: Frame, rows: NDArray[np.int64], choice: Choice) -> Preparation:
    """Decide about every column and measure its encoding.

    Args:
        frame: the table.
        rows: the fitted rows; nothing else is measured.
        choice: what the user says.

    Returns:
        The preparation.

    Raises:
        UserError: a column that was named does not exist, or nothing is left to cluster by.
    """
    names = _named(frame, choice)
    if choice.plain:
        return Preparation([Numbers.fit(frame, rows, names, ["number"] * len(names))], {}, choice.refuses_gaps)
    decided = decide_kinds(frame, rows, names, choice.typed)
    if choice.only is not None:
        decided = {name: _kept(frame, name, kind) for name, kind in decided.items()}
    features = [name for name in names if decided[name].kind in FEATURE_KINDS]
    if not features:
        # Constant numbers cluster as copies of one sample do
        features = [name for name in names if decided[name].kind == "constant" and name in frame.matrix_names]
        decided |= dict.fromkeys(features, Decided("number"))
    if not features:
        listed = shorten(f"{name!r} ({decided[name].kind})" for name in names) or "none"
        raise UserError(f"{frame.source} has no feature columns; found {listed}")
    used = set(features)
    left_out = {name: decided[name] for name in names if name not in used}
    preparation = Preparation(list(_fit_encoders(frame, rows, features, decided)), left_out, choice.refuses_gaps)
    if choice.estimates_gaps and len(rows) >= FEWEST_ROWS and any(encoder.n_marks for encoder in preparation.encoders):
        values = preparation.value_features
        if 1 < len(values) <= MOST_FEATURES:
            x, is_gap = preparation.apply(frame)[np.ix_(rows, values)], preparation.find_gaps(frame)[rows]
            preparation.filler = GapFiller.fit(x, is_gap)
    return preparation


def _named(frame: Frame, choice: Choice) -> list[str]:
    """Return the columns to decide about."""
    if choice.only is None:
        return [name for name in frame.names if name not in choice.special]
    missing = [name for name in choice.only if name not in frame.names]
    if missing:
        raise UserError(f"{frame.source} has no column {missing[0]!r}; {nearest(missing[0], frame.names)}")
    twice = [name for name in choice.only if name in choice.special]
    if twice:
        raise UserError(f"data.columns names {', '.join(map(repr, twice))}, which is the label or the id column")
    return list(dict.fromkeys(choice.only))


def _kept(frame: Frame, name: str, decided: Decided) -> Decided:
    """Return the kind of a column that was named: a person who names it wants it."""
    if decided.kind in ("row_index", "constant", "identifier"):
        if name in frame.matrix_names:
            return Decided("number")
        return Decided("category")
    if decided.kind in ("empty", "unusable"):
        raise UserError(f"{frame.source}: column {name!r} cannot be a feature: {decided.reason}")
    return decided


def _fit_encoders(
    frame: Frame, rows: NDArray[np.int64], features: Sequence[str], decided: Mapping[str, Decided]
) -> Any:
    """Yield an encoder for each column; numbers that stand beside each other share one."""
    run: list[str] = []
    for name in [*features, None]:
        if name is not None and decided[name].kind in ("number", "yes_no"):
            run.append(name)
            continue
        if run:
            yield Numbers.fit(frame, rows, run, [decided[column].kind for column in run])
            run = []
        if name is None:
            return
        kind = decided[name].kind
        if kind == "category":
            yield Category.fit(frame, rows, name)
        elif kind == "date":
            yield Date.fit(frame, rows, name)
        elif kind == "text":
            yield FreeText.fit(frame, rows, name, is_alone=len(features) == 1)
        else:
            yield Vectors.fit(frame, rows, name, is_alone=len(features) == 1)
