"""A preparation is measured on the fitted rows alone, is plain JSON, and does the same after it was stored."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from deepcluster_pl.data.tables.dataframes import frame_of
from deepcluster_pl.data.tables.preparation import Choice, Preparation, fit_preparation
from deepcluster_pl.errors import UserError

N = 80


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    return frame_of(pd.DataFrame({
        "age": np.where(rng.random(N) < 0.1, np.nan, rng.normal(40, 9, N)), "time": 1.7e9 + rng.integers(0, 60, N),
        "city": rng.choice(["Lyon", "Porto", None], N), "member": rng.random(N) > 0.5,
        "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, N), "D"),
        "note": rng.choice(["a late parcel came back again", "the wrong color was sent", "all is fine with it"], N)
        + pd.Series(range(N)).astype(str), "emb": [row.tolist() for row in rng.normal(size=(N, 3))],
    }))  # fmt: skip


def test_what_was_stored_does_the_same(frame):
    fitted = fit_preparation(frame, np.arange(N), Choice(estimates_gaps=True))
    assert fitted.filler is not None
    stored = Preparation.from_json(json.loads(json.dumps(fitted.to_json())))
    np.testing.assert_array_equal(stored.apply(frame), fitted.apply(frame))
    assert stored.feature_names == fitted.feature_names
    assert {*fitted.kinds.values()} >= {"number", "category", "yes_no", "date", "text", "list"}


def test_nothing_is_measured_on_rows_that_are_held_out(frame):
    rows = np.arange(0, N, 2)
    others = np.setdiff1d(np.arange(N), rows)
    changed = frame_of(pd.DataFrame({
        name: (np.append(column.levels, None)[column.codes] if hasattr(column, "codes") else list(column))
        for name, column in ((name, frame.column(name)) for name in frame.names)
    }))  # fmt: skip
    changed.matrix[others] *= 1000
    before, after = (fit_preparation(table, rows, Choice()).to_json() for table in (frame, changed))
    assert before == after


def test_times_that_float32_cannot_tell_apart_are_counted_from_their_middle(frame):
    fitted = fit_preparation(frame, np.arange(N), Choice(only=["time"]))
    x = fitted.apply(frame)
    assert np.ptp(x) == np.ptp(frame.column("time"))
    assert fitted.describe(x.astype(float), x.astype(float))[0].value.startswith("1,700,000,0")


@pytest.mark.parametrize(
    "damage",
    [
        lambda node: node.update(schema=9),
        lambda node: node.pop("columns"),
        lambda node: node["columns"][0].update(kind="os.system"),
        lambda node: node["columns"][0].update(medians=[1.0]),
        lambda node: node["columns"][0].update(medians="text"),
        lambda node: node["columns"][0].pop("columns"),
        lambda node: node.update(columns={"a": 1}),
        lambda node: node.update(left_out=[1]),
    ],
)
def test_a_damaged_description_of_columns_is_one_line(frame, damage):
    node = json.loads(json.dumps(fit_preparation(frame, np.arange(N), Choice()).to_json()))
    damage(node)
    with pytest.raises(UserError, match=r"model\.json describes columns that cannot be read") as error:
        Preparation.from_json(node)
    assert "\n" not in str(error.value)
