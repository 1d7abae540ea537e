"""The preparation of a table as part of a graph: raw numbers of its columns in, features out."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from deepcluster_pl.data.tables.casts import as_numbers, as_text, as_times, as_vectors
from deepcluster_pl.data.tables.encoders.base import Encoder
from deepcluster_pl.data.tables.encoders.category import Category
from deepcluster_pl.data.tables.encoders.date import Date
from deepcluster_pl.data.tables.encoders.free_text import FreeText
from deepcluster_pl.data.tables.encoders.numbers import Numbers
from deepcluster_pl.data.tables.encoders.vectors import Vectors
from deepcluster_pl.data.tables.frame import Frame
from deepcluster_pl.data.tables.gap_filling import GapFiller
from deepcluster_pl.data.tables.preparation import Preparation

_DAY = 86_400.0


def describe_inputs(preparation: Preparation) -> list[dict[str, Any]]:
    """Return what each raw number of a row is: its column, and how a cell becomes a number.

    Args:
        preparation: of the table.

    Returns:
        One entry for each input, in order: `column`, `kind`, `value` in words, and the `levels` of a category, whose
        place is the number.
    """
    out: list[dict[str, Any]] = []
    for encoder in preparation.encoders:
        if isinstance(encoder, Numbers):
            for name, kind in zip(encoder.columns, encoder.kinds, strict=True):
                value = "1 for yes, 0 for no" if kind == "yes_no" else "the number"
                out.append({"column": name, "kind": kind, "value": f"{value}; NaN for a gap"})
        elif isinstance(encoder, Category):
            value = f"place of the level in `levels`, from 0; {len(encoder.levels)} for any other; NaN for a gap"
            out.append(
                {"column": encoder.columns[0], "kind": encoder.kind, "value": value, "levels": list(encoder.levels)}
            )
        elif isinstance(encoder, Date):
            value = "seconds since 1970-01-01 00:00:00, without a time zone; NaN for a gap"
            out.append({"column": encoder.columns[0], "kind": encoder.kind, "value": value})
        else:
            value = {"list": "one number of the list; NaN for a gap"}.get(
                encoder.kind, "a component of the text, which this package makes: see `preparation` in model.json"
            )
            out += [{"column": name, "kind": encoder.kind, "value": value} for name in encoder.features]
    return out


def raw_numbers(preparation: Preparation, frame: Frame) -> NDArray[np.float64]:
    """Return the raw numbers (N, I) of a table, as `describe_inputs` says.

    Args:
        preparation: of the table.
        frame: the table, or one of new samples.
    """
    out: list[NDArray[np.float64]] = []
    for encoder in preparation.encoders:
        if isinstance(encoder, Numbers):
            out += [as_numbers(frame.column(name), frame.decimal)[:, None] for name in encoder.columns]
        elif isinstance(encoder, Category):
            codes, levels = as_text(frame.column(encoder.columns[0]))
            places = {level: k for k, level in enumerate(encoder.levels)}
            known = [float(places.get(level[:200], len(places))) for level in levels.tolist()]
            out.append(np.array([*known, np.nan])[codes][:, None])
        elif isinstance(encoder, Date):
            times = as_times(frame.column(encoder.columns[0]))
            out.append(np.where(np.isnat(times), np.nan, times.astype(np.int64).astype(np.float64))[:, None])
        elif isinstance(encoder, Vectors):
            vectors = as_vectors(frame.column(encoder.columns[0]))
            assert vectors is not None
            out.append(vectors)
        else:
            out.append(encoder.encode(frame, preparation.refuses_gaps))
    return np.hstack(out)


class RawColumns(nn.Module):
    """Makes raw numbers of columns into the features of a net, as `Preparation.apply` does from a table.

    Args:
        preparation: of the table.
    """

    def __init__(self, preparation: Preparation) -> None:
        super().__init__()
        self.columns = nn.ModuleList([_column_of(encoder) for encoder in preparation.encoders])
        self.widths = [int(column.n_inputs) for column in self.columns]  # type: ignore[arg-type]
        self.n_inputs = sum(self.widths)
        self.filler = None if preparation.filler is None else _Filler(preparation.filler, preparation.value_features)

    def forward(self, raw: Tensor) -> Tensor:
        """Return features (N, F) in float32 of raw numbers (N, I) in float64."""
        features, gaps, start = [], [], 0
        for column, width in zip(self.columns, self.widths, strict=True):
            values, marks, is_gap = column(raw[:, start : start + width])
            features.append(torch.cat([values, marks], dim=1))
            gaps.append(is_gap)
            start += width
        x = torch.cat(features, dim=1).float()
        return x if self.filler is None else self.filler(x, torch.cat(gaps, dim=1))


class _Numbers(nn.Module):
    """Numbers with gaps filled, and marks of gaps."""

    medians: Tensor
    offsets: Tensor
    marked: Tensor

    def __init__(self, encoder: Numbers) -> None:
        super().__init__()
        self.n_inputs = len(encoder.columns)
        self.register_buffer("medians", torch.tensor(encoder.medians))
        self.register_buffer("offsets", torch.tensor(encoder.offsets))
        self.register_buffer("marked", torch.tensor(encoder.marked, dtype=torch.long))

    def forward(self, raw: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        is_gap = raw.isnan()
        return torch.where(is_gap, self.medians, raw) - self.offsets, is_gap[:, self.marked].double(), is_gap


class _Category(nn.Module):
    """Rows of zeros and ones by the place of a level; the usual shares for a gap."""

    rows: Tensor

    def __init__(self, encoder: Category) -> None:
        super().__init__()
        self.n_inputs, self.has_mark = 1, encoder.gap_share > 0
        n_levels, has_other = len(encoder.levels), encoder.shares[-1] > 0
        width = n_levels + has_other
        usual = torch.tensor(encoder.shares[:width], dtype=torch.float64)
        rows = torch.zeros(n_levels + 2, width, dtype=torch.float64)
        rows[: n_levels + 1] = torch.eye(n_levels + 1, dtype=torch.float64)[:, :width]
        if not has_other:
            rows[n_levels] = usual
        rows[n_levels + 1] = usual
        self.register_buffer("rows", rows)

    def forward(self, raw: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        is_gap, n_levels = raw.isnan(), len(self.rows) - 2
        place = torch.where(is_gap, n_levels + 1.0, raw.nan_to_num().clamp(0, n_levels)).long()
        values = self.rows[place[:, 0]]
        return values, is_gap.double()[:, : int(self.has_mark)], is_gap.expand(-1, values.shape[1])


class _Date(nn.Module):
    """Days since the first date, and month, weekday or hour as points of a circle."""

    def __init__(self, encoder: Date) -> None:
        super().__init__()
        self.n_inputs, self.has_mark = 1, encoder.gap_share > 0
        self.start, self.median, self.cycles = float(encoder.start), encoder.median, list(encoder.cycles)

    def forward(self, raw: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        is_gap = raw.isnan()
        seconds = torch.where(is_gap, self.start, raw)
        out = [torch.where(is_gap, self.median, (seconds - self.start) / _DAY)]
        for cycle in self.cycles:
            phase, length = {"month": (_month, 12), "weekday": (_weekday, 7), "hour": (_hour, 24)}[cycle]
            angle = 2 * torch.pi * phase(seconds) / length
            out += [torch.where(is_gap, 0.0, angle.sin()), torch.where(is_gap, 0.0, angle.cos())]
        values = torch.cat(out, dim=1)
        return values, is_gap.double()[:, : int(self.has_mark)], is_gap.expand(-1, values.shape[1])


class _Filled(nn.Module):
    """Numbers whose gaps get a mean; neither marked nor filled from other columns."""

    mean: Tensor

    def __init__(self, mean: NDArray[np.float64]) -> None:
        super().__init__()
        self.n_inputs = len(mean)
        self.register_buffer("mean", torch.tensor(mean))

    def forward(self, raw: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        is_gap = raw.isnan()
        return torch.where(is_gap, self.mean, raw), raw[:, :0], torch.zeros_like(is_gap)


class _Filler(nn.Module):
    """Conditional means of gaps, given the rest of their row; see `GapFiller`."""

    mean: Tensor
    spread: Tensor
    covariance: Tensor
    values: Tensor

    def __init__(self, filler: GapFiller, values: NDArray[np.int64]) -> None:
        super().__init__()
        for name in ("mean", "spread", "covariance"):
            self.register_buffer(name, torch.tensor(getattr(filler, name)))
        self.register_buffer("values", torch.tensor(values))

    def forward(self, x: Tensor, is_gap: Tensor) -> Tensor:
        known, own = (~is_gap).double(), x[:, self.values].double()
        z = known * (own - self.mean) / self.spread
        # The system of the known features of each row, which leaves gaps out
        system = known[:, :, None] * self.covariance * known[:, None, :] + torch.diag_embed(1 - known)
        expected = torch.linalg.solve(system, z[:, :, None])[:, :, 0] @ self.covariance
        filled = torch.where(is_gap, self.mean + self.spread * expected, own)
        return x.index_copy(1, self.values, filled.float())


def _column_of(encoder: Encoder) -> nn.Module:
    """Return the module of one encoder."""
    if isinstance(encoder, Numbers):
        return _Numbers(encoder)
    if isinstance(encoder, Category):
        return _Category(encoder)
    if isinstance(encoder, Date):
        return _Date(encoder)
    mean = encoder.mean if isinstance(encoder, Vectors) else np.zeros(len(encoder.features))
    assert isinstance(encoder, Vectors | FreeText)
    return _Filled(mean)


def _hour(seconds: Tensor) -> Tensor:
    """Return the hour, 0 to 23, of seconds since 1970."""
    hours = (seconds / 3600).floor()
    return hours - 24 * (hours / 24).floor()


def _weekday(seconds: Tensor) -> Tensor:
    """Return the weekday, 0 to 6 from Thursday, of seconds since 1970."""
    days = (seconds / _DAY).floor()
    return days - 7 * (days / 7).floor()


def _month(seconds: Tensor) -> Tensor:
    """Return the month, 0 to 11, of seconds since 1970; years are counted from March, in eras of 400 of them."""
    days = (seconds / _DAY).floor() + 719_468
    of_era = days - 146_097 * (days / 146_097).floor()
    leaps = (of_era / 1460).floor() - (of_era / 36_524).floor() + (of_era / 146_096).floor()
    year = ((of_era - leaps) / 365).floor()
    of_year = of_era - (365 * year + (year / 4).floor() - (year / 100).floor())
    from_march = ((5 * of_year + 2) / 153).floor()
    return torch.where(from_march < 10, from_march + 2, from_march - 10)
