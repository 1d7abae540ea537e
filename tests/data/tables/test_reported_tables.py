"""Tables that people reported, and others like them: read as they were meant, or asked about in one line."""

from __future__ import annotations

import shlex

import numpy as np
import pandas as pd
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from deepcluster_pl.data.tables.names import typed, typed_kind
from deepcluster_pl.errors import UserError

RNG = np.random.default_rng(0)


def test_one_cell_that_is_a_marker_is_a_gap_and_told_with_its_line(samples):
    cells = [str(i % 7) for i in range(180)]
    cells[17] = "NA"
    found = samples("t.csv", "c,d\n" + "".join(f"{cell},{i % 5}\n" for i, cell in enumerate(cells)))
    assert "gaps: 1 of 180 cells of 'c' is 'NA' (line 19)" in found.lines
    assert found.names == ["c", "d", "c is missing"]
    assert found.x[17] == [3, 2, 1]


def test_a_word_among_numbers_is_a_gap_and_told(samples):
    found = samples("t.csv", "c,d\n" + "".join(f"{'unknown' if i == 40 else i % 7},{i % 5}\n" for i in range(60)))
    assert "gaps: 1 of 60 cells of 'c' is 'unknown' (line 42)" in found.lines


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            pd.DataFrame({"a": [1.5, 2.25], "b": [3, 4]}).to_csv(sep=";", decimal=",", index=False),
            [[1.5, 3], [2.25, 4]],
        ),
        ('a,b\n"50,000",12%\n"1,250",7.5 %\n', [[50_000, 12], [1250, 7.5]]),
        ("a;b\n€ 1.234,50;3\n€ 7,25;4\n", [[1234.5, 3], [7.25, 4]]),
        ("a\tb\n$5\t-1\n$7.5\t+2\n", [[5, -1], [7.5, 2]]),
        ("a b\n1 2\n3  4\n", [[1, 2], [3, 4]]),
        ("sep=;\r\na;b\r\n1;2\r\n3;4\r\n", [[1, 2], [3, 4]]),
        ("# a b\n1 2\n3 4\n", [[1, 2], [3, 4]]),
        ("a,b\n1,2\n3,4\n".encode("utf-16"), [[1, 2], [3, 4]]),
        ("größe,b\n1,2\n3,4\n".encode("cp1252"), [[1, 2], [3, 4]]),
        ("a,b,\n1,2,\n3,4,\n", [[1, 2], [3, 4]]),
        ('"a","b"\n"r1",1,2\n"r2",3,4\n', [[1, 2], [3, 4]]),
    ],
)
def test_numbers_are_read_as_people_write_them(samples, content, expected):
    assert samples("t.csv", content).x == expected


def test_whole_numbers_without_a_header_keep_their_first_row(samples):
    rows = RNG.integers(100, 300, size=(180, 3))
    content = pd.DataFrame(rows).to_csv(index=False, header=False)
    found = samples("t.csv", content)
    assert found.x == rows.tolist()
    assert "looks like data, so columns are named column_0, column_1" in found.text
    assert len(samples("t.csv", content, header=True).x) == 179


def test_options_settle_what_cannot_be_guessed(samples):
    assert samples("t.csv", "a;b\n1,234;2\n5,678;3\n", decimal=".").x == [[1234, 2], [5678, 3]]
    assert samples("t.csv", "a;b\n1,234;2\n5,678;3\n").x == [[pytest.approx(1.234), 2], [pytest.approx(5.678), 3]]
    assert samples("t.txt", "a/b\n1/2\n3/4\n", delimiter="/").x == [[1, 2], [3, 4]]
    with pytest.raises(UserError, match=r"data\.encoding=klingon: Python knows no such encoding"):
        samples("t.csv", "a,b\n1,2\n", encoding="klingon")


HOSTILE = (
    "sepal length (cm)",
    "a,b",
    "it's",
    "${seed}",
    "[x]",
    "{y: 1}",
    "a=b",
    "back\\",
    "né",
    "$(rm x)",
    "'",
    "null",
    "x:y",
    "",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_every_printed_command_can_be_typed_whatever_a_column_is_called(name):
    parser = OverridesParser.create()
    words = shlex.split(
        f"{typed('data.label_column', name)} {typed('data.columns', [name, 'b'])} {typed_kind('date', name)}"
    )
    values = [override.value() for override in parser.parse_overrides(words)]
    plain = [str(values[0]), [str(v) for v in values[1]], [str(v) for v in values[2]["date"]]]
    assert [text.replace("\\${", "${") for text in (plain[0], plain[1][0], plain[2][0])] == [name] * 3


def test_a_printed_command_for_a_hostile_name_runs(cli_run, tmp_path):
    frame = pd.DataFrame({"petal (cm), [x]": RNG.normal(size=40), "key 'id'": [f"k{i}" for i in range(40)]})
    frame["b"] = RNG.normal(size=40)
    frame.to_csv(tmp_path / "t.csv", index=False)
    first = cli_run("data.path=t.csv", "method=kmeans", "n_clusters=2", "baselines=none", name="one")
    line = next(line for line in first.out.splitlines() if "to use" in line)
    words = shlex.split(line.partition("type ")[2])
    second = cli_run("data.path=t.csv", "method=kmeans", "n_clusters=2", "baselines=none", *words, name="two")
    assert second.code == 0, second.err
    assert "columns, categories: key 'id'" in second.out


def test_too_few_rows_for_neighbors_are_refused_before_pretraining(cli_run, tmp_path):
    pd.DataFrame(RNG.normal(size=(12, 2)), columns=["a", "b"]).to_csv(tmp_path / "t.csv", index=False)
    run = cli_run("data.path=t.csv", "method=scan", "n_clusters=2")
    assert run.code == 1
    assert "method.n_neighbors=20 should be below the 12 samples; type method.n_neighbors=4" in run.err
    assert "pretrain" not in run.out


TITANIC = pd.DataFrame({
    "PassengerId": range(1, 101), "Survived": RNG.integers(0, 2, 100), "Pclass": RNG.integers(1, 4, 100),
    "Name": [f"Smith, {'Mr' if i % 3 else 'Mrs'}. John the {i}th" for i in range(100)],
    "Sex": RNG.choice(["male", "female"], 100),
    "Age": np.where(RNG.random(100) < 0.2, np.nan, RNG.integers(1, 80, 100)), "Fare": RNG.gamma(2, 15, 100).round(4),
    "Cabin": np.where(RNG.random(100) < 0.8, None, "C85"), "Embarked": RNG.choice(["S", "C", "Q", None], 100),
})  # fmt: skip
CREDIT = pd.DataFrame({
    "ID": RNG.permutation(100) + 5000, "amount": [f"{v:,.2f}" for v in RNG.gamma(2, 9000, 100)],
    "rate": [f"{v:.1f}%" for v in RNG.uniform(1, 9, 100)], "purpose": RNG.choice(["car", "house", "school"], 100),
    "issued": pd.Timestamp("2019-01-01") + pd.to_timedelta(RNG.integers(0, 900, 100), "D"),
    "default": RNG.choice(["yes", "no"], 100),
})  # fmt: skip
ADULT = pd.DataFrame({
    "age": RNG.integers(17, 90, 100), "workclass": RNG.choice(["Private", "State-gov", "?"], 100),
    "fnlwgt": RNG.integers(10**4, 10**6, 100), "education": RNG.choice(["HS-grad", "Bachelors", "11th"], 100),
    "sex": RNG.choice(["Male", "Female"], 100), "hours-per-week": RNG.integers(1, 99, 100),
    "native-country": RNG.choice(["United-States"] * 30 + [f"Land{i}" for i in range(5)], 100),
})  # fmt: skip


@pytest.mark.parametrize(
    ("frame", "label", "kinds"),
    [
        (TITANIC, "Survived", {"PassengerId": "row_index", "Pclass": "number", "Sex": "category", "Age": "number",
                               "Fare": "number", "Cabin": "constant", "Embarked": "category"}),
        (CREDIT, "default", {"ID": "identifier", "amount": "number", "rate": "number", "purpose": "category",
                             "issued": "date"}),
        (ADULT, "sex", {"age": "number", "workclass": "category", "fnlwgt": "number", "education": "category",
                        "hours-per-week": "number", "native-country": "category"}),
    ],
    ids=["titanic", "credit", "adult"],
)  # fmt: skip
def test_well_known_tables_are_read_by_kind(samples, frame, label, kinds):
    found = samples("t.csv", frame.to_csv(index=False), label_column=label, scale="standard")
    assert {name: kind for name, kind in found.data.preparation.kinds.items() if name in kinds} == kinds
    x, (blocks, weights) = found.data.prepared("fit"), found.data.part("fit").blocks
    assert np.isfinite(x).all()
    # Each original column weighs alike, whatever it was made into
    variance = np.bincount(blocks, x.var(axis=0))
    np.testing.assert_allclose(variance, weights[np.unique(blocks, return_index=True)[1]], atol=1e-3)
