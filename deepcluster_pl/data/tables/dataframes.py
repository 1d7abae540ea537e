"""Take over the columns of a DataFrame, pandas' or another library's, where not all of them are plain numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.tables.columnar import frame_from_arrow, without_markers
from deepcluster_pl.data.tables.frame import Column, Frame, to_text
from deepcluster_pl.data.tables.names import distinct_names
from deepcluster_pl.errors import UserError, first_line

_SOURCE = "X"


def is_dataframe(x: Any) -> bool:
    """Return whether an object is a DataFrame of pandas, polars or another library that knows Arrow."""
    return hasattr(x, "columns") and (hasattr(x, "iloc") or hasattr(x, "__arrow_c_stream__"))


def needs_preparation(x: Any) -> bool:
    """Return whether a DataFrame holds anything but plain numbers without gaps."""
    if not hasattr(x, "iloc"):
        return True
    kinds = [getattr(dtype, "kind", "O") if isinstance(dtype, np.dtype) else "O" for dtype in x.dtypes]
    if any(kind not in "buif" for kind in kinds):
        return True
    return any(kind == "f" for kind in kinds) and bool(x.isna().to_numpy().any())


def frame_of(x: Any) -> Frame:
    """Return the columns of a DataFrame.

    Args:
        x: a DataFrame; its row index is no column.

    Raises:
        UserError: it has no rows.
    """
    if not hasattr(x, "iloc"):
        try:
            import pyarrow as pa
        except ImportError as error:
            raise UserError("this DataFrame needs pyarrow; type: pip install 'deepcluster_pl[parquet]'") from error
        return frame_from_arrow(pa.table(x), _SOURCE)
    names = [str(name) for name in x.columns]
    if not len(x) or not names:
        raise UserError(f"X has {len(x)} rows of {len(names)} columns, expected some")
    names, remark = distinct_names(names)
    numbers: dict[str, NDArray[Any]] = {}
    others: dict[str, Column] = {}
    unusable: dict[str, str] = {}
    for j, name in enumerate(names):
        try:
            column = _convert(x.iloc[:, j])
        except (TypeError, ValueError, OverflowError) as error:
            unusable[name] = first_line(error)[:80]
            continue
        if isinstance(column, np.ndarray) and column.dtype.kind == "f" and column.ndim == 1:
            numbers[name] = column
        else:
            others[name] = column
    matrix = np.empty((len(x), len(numbers)))
    for j, values in enumerate(numbers.values()):
        matrix[:, j] = values
    return Frame(_SOURCE, names, matrix, list(numbers), others, (), unusable, [remark] * bool(remark))


def _convert(series: Any) -> Column:
    """Return one column as numbers, times, lists or text."""
    kind = getattr(series.dtype, "kind", "O")
    if kind in "buif":
        return np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan))
    if kind == "M":
        series = series.dt.tz_convert(None) if getattr(series.dtype, "tz", None) is not None else series
        return np.asarray(series.to_numpy()).astype("datetime64[s]")
    if kind == "m":
        seconds = series.dt.total_seconds()
        return np.asarray(seconds.to_numpy(dtype=np.float64, na_value=np.nan))
    is_gap = np.asarray(series.isna())
    cells = series.tolist()
    known = [cell for cell, gap in zip(cells, is_gap.tolist(), strict=True) if not gap]
    if known and all(isinstance(cell, list | tuple | np.ndarray) for cell in known):
        return _to_lists(cells, is_gap, len(known[0]))
    if known and all(hasattr(cell, "isoformat") for cell in known):  # dates of Python
        times = [None if gap else str(cell) for cell, gap in zip(cells, is_gap.tolist(), strict=True)]
        return to_text(times)
    return without_markers(to_text([None if gap else cell for cell, gap in zip(cells, is_gap.tolist(), strict=True)]))


def _to_lists(cells: list[Any], is_gap: NDArray[np.bool_], length: int) -> NDArray[np.float64]:
    """Return lists of one length as (N, D); raise `ValueError` where they have several."""
    out = np.full((len(cells), length), np.nan)
    for i in np.flatnonzero(~is_gap).tolist():
        if len(cells[i]) != length:
            raise ValueError("lists of several lengths")
        out[i] = cells[i]
    return out
