"""Tables as people have them: titles above the header, names that occur twice, dates with the names of months."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deepcluster_pl.data.tables.cells import to_dates
from deepcluster_pl.data.tables.columnar import frame_from_arrow
from deepcluster_pl.data.tables.dataframes import frame_of

ROWS = "region,units,date\n" + "".join(f"{'NS'[i % 2]}orth,{i},2023-01-{i % 28 + 1:02d}\n" for i in range(40))
"""Two categories, a number that counts up, a date."""


@pytest.mark.parametrize("title", ["Sales report\n", "Sales report\n\n", "Sales report,,\n,,\n"])
def test_a_title_above_the_names_of_columns_is_passed_over_and_said(samples, title):
    content = (title + ROWS).replace("\nNorth,2,", "\nNorth,NA,")
    found = samples("t.csv", content)
    assert "above the names of columns" in found.text
    assert found.data.preparation.kinds["region"] == "category"
    assert len(found.x) == 40
    line = content.splitlines().index("North,NA,2023-01-03") + 1
    assert f"1 of 40 cells of 'units' is 'NA' (line {line})" in found.text


def test_a_spreadsheet_with_a_title_is_read_like_one_without(samples, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("python_calamine")
    book = openpyxl.Workbook()
    for row in [["Sales report"], [], *(line.split(",") for line in ROWS.splitlines())]:
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    found = samples("t.xlsx", None)
    assert found.data.preparation.kinds == samples("t.csv", ROWS).data.preparation.kinds


def test_a_table_whose_first_row_has_gaps_has_no_title(samples):
    assert len(samples("t.csv", "a,b,c\n1,,\n2,5,6\n3,8,9\n").x) == 3
    assert len(samples("t.csv", ",b,c,d\n0,4,5,6\n1,7,8,8\n2,1,1,2\n").x) == 3


def test_columns_of_one_name_get_numbers_in_every_format(samples):
    found = samples("t.csv", "a,b,a,a\n1,2,3,9\n4,5,7,1\n")
    assert found.data.preparation.feature_names == ["a", "b", "a (2)", "a (3)"]
    assert "3 columns are called 'a': the second is taken as 'a (2)'" in found.text
    assert frame_of(pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"])).names == ["a", "a (2)"]
    pa = pytest.importorskip("pyarrow")
    table = pa.table([pa.array([1.0, 2.0]), pa.array([1.0, 3.0])], names=["a", "a"])
    assert frame_from_arrow(table, "t.parquet").names == ["a", "a (2)"]


@pytest.mark.parametrize(
    ("cell", "time"),
    [
        ("Mar 05, 2021", "2021-03-05T00:00:00"), ("5 March 2021 7:05 pm", "2021-03-05T19:05:00"),
        ("05-mars-21", "2021-03-05T00:00:00"), ("5. März 2021", "2021-03-05T00:00:00"),
        ("1/23/2024 12:12:33 AM", "2024-01-23T00:12:33"), ("31/12/98", "1998-12-31T00:00:00"),
    ],
)  # fmt: skip
def test_dates_are_read_as_people_write_them(cell, time):
    assert to_dates(np.array([cell], dtype=object)).tolist() == [np.datetime64(time).tolist()]


@pytest.mark.parametrize("cell", ["12 apples 2020", "May 2021", "31 February 2021", "1/2/3"])
def test_other_words_are_no_dates(cell):
    assert to_dates(np.array([cell], dtype=object)) is None
