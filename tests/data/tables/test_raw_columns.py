"""A graph prepares raw numbers as the preparation prepares a table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from deepcluster_pl.data.tables.dataframes import frame_of
from deepcluster_pl.data.tables.preparation import Choice, fit_preparation
from deepcluster_pl.data.tables.raw_columns import RawColumns, describe_inputs, raw_numbers

N = 120


def table(seed, levels):
    rng = np.random.default_rng(seed)
    gap = rng.random((4, N)) < 0.2
    since = pd.Timestamp("1968-02-27") + pd.to_timedelta((rng.random(N) ** 3 * 30_000_000_0).astype(int) * 3, "s")
    return frame_of(pd.DataFrame({
        "age": np.where(gap[0], np.nan, rng.normal(40, 9, N)), "time": 1.7e9 + rng.integers(0, 60, N),
        "city": np.where(gap[1], None, rng.choice(levels, N)), "kind": rng.choice(["a", "b"], N),
        "member": rng.random(N) > 0.5, "since": since.where(~gap[2]),
        "note": rng.choice(["a late parcel came back again", "the wrong color was sent", "all is fine with it"], N)
        + pd.Series(range(N)).astype(str), "emb": [row.tolist() for row in rng.normal(size=(N, 3))],
    }))  # fmt: skip


@pytest.mark.parametrize("estimates_gaps", [False, True])
def test_features_are_those_of_the_preparation_for_new_rows_too(estimates_gaps):
    fitted = fit_preparation(table(0, ["Lyon", "Porto"]), np.arange(N), Choice(estimates_gaps=estimates_gaps))
    assert (fitted.filler is not None) == estimates_gaps
    columns = RawColumns(fitted)
    for frame in (table(0, ["Lyon", "Porto"]), table(1, ["Lyon", "Oslo", "Porto"])):
        raw = raw_numbers(fitted, frame)
        assert raw.shape[1] == columns.n_inputs == len(describe_inputs(fitted))
        made = columns(torch.from_numpy(raw)).numpy()
        np.testing.assert_allclose(made, fitted.apply(frame), rtol=1e-5, atol=1e-5)


def test_months_are_those_of_the_calendar():
    from deepcluster_pl.data.tables.raw_columns import _month

    days = np.arange(np.datetime64("1895-01-01"), np.datetime64("2105-01-01"), 1)
    seconds = torch.from_numpy(days.astype("datetime64[s]").astype(np.int64).astype(np.float64))
    assert (_month(seconds).numpy() == days.astype("datetime64[M]").astype(np.int64) % 12).all()
