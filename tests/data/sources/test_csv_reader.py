"""Text tables of absurd shape take little memory, and end in one short line."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.memory import memory_limit

from deepcluster_pl.data.sources.csv_reader import read_csv, to_array
from deepcluster_pl.data.sources.tabular import ArrayData
from deepcluster_pl.errors import UserError


@pytest.fixture
def array(tmp_path, common):
    """Makes a source of a text table."""

    def make(content, label_column=None, id_column=None, columns=None):
        (tmp_path / "t.csv").write_text(content)
        return ArrayData(str(tmp_path / "t.csv"), label_column, id_column, columns, **common())

    return make


def test_a_table_of_sixty_thousand_columns_is_read(array):
    n = 60_000
    content = ",".join(f"gene{i}" for i in range(n)) + "\n" + (",".join(["1.5"] * n) + "\n") * 2
    assert array(content).load().x.shape == (2, n)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_column": "klass"}, r"has no column 'klass'; found gene0, .* and 59990 more"),
        ({}, r"the column 'gene0', .* and 59990 more holds text.*data\.label_column=gene0 or"),
    ],
)
def test_a_message_about_sixty_thousand_columns_is_short(array, options, message):
    n = 60_000
    content = ",".join(f"gene{i}" for i in range(n)) + "\n" + ",".join(["a"] * n) + "\n"
    with pytest.raises(UserError, match=message) as error:
        array(content, **options).load()
    assert len(str(error.value)) < 600


@pytest.mark.parametrize("line", ["1," * 2**24, "1" * 2**25, ";" * 2**25])
@pytest.mark.parametrize("head", ["", "a,b\n1,2\n"])
def test_one_gigantic_line_is_refused_with_its_number_and_not_read(tmp_path, line, head):
    (tmp_path / "t.csv").write_text(head + line)
    with memory_limit(100), pytest.raises(UserError) as error:
        read_csv(tmp_path / "t.csv")
    assert (
        str(error.value) == f"t.csv, line {1 + head.count(chr(10))} has more than 16,777,216 characters; is it a table?"
    )


def test_a_quote_that_is_never_closed_is_refused_before_the_rest_is_read(tmp_path):
    (tmp_path / "t.csv").write_text('a,b\n1,"' + "2\n" * 2**22)
    with memory_limit(8), pytest.raises(UserError, match=r"t\.csv is not a table: field larger than field limit"):
        read_csv(tmp_path / "t.csv")


def test_a_row_of_other_length_is_refused_before_the_rest_is_read(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1\n" + "2,3\n" * 2**20)
    with memory_limit(8), pytest.raises(UserError, match=r"t\.csv, line 2: found 1 fields, expected 2"):
        read_csv(tmp_path / "t.csv")


def test_one_long_cell_does_not_make_all_others_as_long(array):
    content = "a,kind\n" + "1,x\n" * 20_000 + "2," + "y" * 100_000 + "\n"
    with memory_limit(40):
        table = array(content, label_column="kind").load()
    assert set(table.labels) == {"x", "y" * 100_000}
    assert table.x.shape == (20_001, 1)


def test_texts_of_usual_length_are_an_array_of_numpy(tmp_path):
    assert to_array(["a", "bcd"]).dtype == np.dtype("<U3")
    assert to_array(["x"] * 200_000 + ["y" * 1000]).dtype == object
