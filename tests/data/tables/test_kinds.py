"""Columns by kind: decided once, alike in every format, and printed; bookkeeping is left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deepcluster_pl.errors import UserError

N = 60


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame({
        "spend": rng.normal(50, 9, N).round(2), "visits": rng.integers(0, 30, N), "member": rng.random(N) > 0.5,
        "segment": rng.choice(["gold", "silver", "tin"], N), "since": pd.Timestamp("2020-01-01")
        + pd.to_timedelta(rng.integers(0, 900, N), "D"), "customer_id": rng.permutation(N) + 1000, "country": "FR",
        "note": [f"called about the {w} delivery on day {i}" for i, w in enumerate(rng.choice(["late", "lost"], N))],
    })  # fmt: skip


def written(frame, folder, name, index):
    path = folder / name
    write = {".csv": frame.to_csv, ".parquet": frame.to_parquet, ".xlsx": frame.to_excel}[path.suffix]
    if path.suffix == ".parquet" and index:
        frame = frame.set_index(np.random.default_rng(1).permutation(N))  # a plain range is not stored at all
        write = frame.to_parquet
    write(path, index=index)


@pytest.mark.parametrize("index", [False, True], ids=["plain", "index kept"])
@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.xlsx"])
def test_every_kind_is_recognized_in_every_format_and_an_index_that_was_kept_is_no_feature(
    frame, samples, tmp_path, name, index
):
    written(frame, tmp_path, name, index)
    found = samples(name)
    assert "columns, numbers: spend, visits\n" in found.text + "\n"
    assert "columns, yes or no: member" in found.text
    assert "columns, categories: segment (3)" in found.text
    assert "columns, dates: since" in found.text
    assert "columns, free text: note" in found.text
    assert "customer_id (every row has its own)" in found.text
    assert "country (always 'FR')" in found.text
    assert ("a row index" in found.text) == index
    assert found.ids == frame.customer_id.tolist()
    assert len(found.lines) <= 7
    assert not any("column_0" in feature or "__index" in feature for feature in found.names)


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("Unnamed: 0", range(N), "a row index"), ("index", range(N), "a row index"),
        ("x", range(1, N + 1), "a row index"),
        ("x", [i * 2 for i in range(N)], None), ("x", np.arange(N)[::-1], None), ("day", [1, 1, 2] * 20, None),
        ("PassengerId", range(7, 7 + N), "every row has its own"),
        ("order id", np.arange(N) * 3, "every row has its own"),
        ("paid", np.arange(N) * 3, None), ("id", [5] * (N - 1) + [6], None),
    ],
)  # fmt: skip
def test_a_row_index_and_an_identifier_are_told_from_numbers(samples, name, values, kind):
    found = samples("t.csv", pd.DataFrame({"a": np.arange(N) % 7, name: list(values)}).to_csv(index=False))
    assert found.names == (["a"] if kind else ["a", name])
    assert kind is None or f"{name} ({kind})" in found.text


def test_a_nameless_first_column_is_named_in_the_line(samples):
    found = samples("shop.csv", pd.DataFrame({"spend": [1.5, 2, 3], "visits": [3, 1, 2]}).to_csv())
    assert found.names == ["spend", "visits"]
    assert "columns left out: column_0 (a row index)" in found.lines


def test_kinds_can_be_typed_by_column_or_by_kind(frame, samples):
    content = frame.to_csv(index=False)
    by_name = samples("t.csv", content, columns={"visits": "category", "note": "leave_out", "customer_id": "number"})
    by_kind = samples(
        "t.csv", content, columns={"category": ["visits"], "leave_out": ["note"], "number": ["customer_id"]}
    )
    assert by_name.names == by_kind.names
    assert "customer_id" in by_name.names
    assert any(name.startswith("visits=") for name in by_name.names)
    with pytest.raises(UserError, match="'visits' cannot be 'cat'; choose from number, yes_no, category"):
        samples("t.csv", content, columns={"visits": "cat"})
    with pytest.raises(UserError, match="has no column 'visit'; did you mean 'visits'"):
        samples("t.csv", content, columns={"visit": "number"})


def test_columns_that_are_named_are_features_whatever_they_look_like(frame, samples):
    assert samples("t.csv", frame.to_csv(), columns=["column_0", "customer_id"]).names == ["column_0", "customer_id"]
    with pytest.raises(UserError, match="'gap' cannot be a feature: no cell holds anything"):
        samples("t.csv", "a,gap\n1,\n2,\n", columns=["gap"])


def test_a_table_of_nothing_but_text_of_its_own_says_what_it_found(samples):
    with pytest.raises(UserError, match=r"has no feature columns; found 'name' \(identifier\)"):
        samples("t.csv", "name\n" + "\n".join(f"x{i}" for i in range(30)))


def test_lists_of_one_length_are_an_embedding_alone_and_one_column_beside_others(samples, tmp_path):
    rng = np.random.default_rng(0)
    vectors = [row.tolist() for row in rng.normal(size=(N, 8))]
    pd.DataFrame({"emb": vectors}).to_parquet(tmp_path / "alone.parquet")
    pd.DataFrame({"emb": vectors, "age": rng.integers(0, 9, N)}).to_parquet(tmp_path / "beside.parquet")
    alone, beside = samples("alone.parquet", scale="standard"), samples("beside.parquet", scale="standard")
    assert np.allclose(alone.x, vectors)
    assert np.allclose(alone.data.prepared("fit").var(axis=0), 1, atol=1e-3)
    assert len(beside.names) == 9
    assert np.allclose(beside.data.prepared("fit")[:, :8].var(axis=0).sum(), 1, atol=1e-3)
    assert samples("t.csv", pd.DataFrame({"emb": vectors}).to_csv(index=False)).data.input_shape == (8,)
    pd.DataFrame({"emb": [[1.0], [1.0, 2.0]] * 30, "age": range(5, 305, 5)}).to_parquet(tmp_path / "ragged.parquet")
    assert "emb (lists of 2 lengths)" in samples("ragged.parquet").text
