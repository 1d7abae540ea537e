"""Text tables of absurd shape take little memory, and end in one short line."""

from __future__ import annotations

import pytest
from helpers.memory import memory_limit

from deepcluster_pl.data.tables.text_table import read_text_table
from deepcluster_pl.errors import UserError


def test_a_table_of_sixty_thousand_columns_is_read(samples):
    n = 60_000
    cells = [f"{i}.5" for i in range(n)]
    content = ",".join(f"gene{i}" for i in range(n)) + "\n" + (",".join(cells) + "\n") + ",".join(cells[::-1]) + "\n"
    found = samples("t.csv", content)
    assert found.data.input_shape == (n,)
    assert found.x[0][:2] == [0.5, 1.5]
    assert max(map(len, found.lines)) < 600


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_column": "klass"}, r"has no column 'klass'; found gene0, .* and 59990 more"),
        ({"label_column": "genu17"}, r"has no column 'genu17'; did you mean 'gene17'"),
        ({"columns": ["gene5"], "missing": "refuse"}, r"2 of 2 cells of 'gene5'|'gene5' cannot be a feature"),
    ],
)
def test_a_message_about_sixty_thousand_columns_is_short(array, options, message):
    n = 60_000
    content = ",".join(f"gene{i}" for i in range(n)) + "\n" + (",".join(["NA"] * n) + "\n") * 2
    with pytest.raises(UserError, match=message) as error:
        array("t.csv", content, **options).setup()
    assert len(str(error.value)) < 600


@pytest.mark.parametrize("line", ["1," * 2**24, "1" * 2**25, ";" * 2**25])
@pytest.mark.parametrize("head", ["", "a,b\n1,2\n"])
def test_one_gigantic_line_is_refused(tmp_path, line, head):
    (tmp_path / "t.csv").write_text(head + line)
    with memory_limit(400), pytest.raises(UserError, match=r"t\.csv.* line.* more than 16,777,216 characters"):
        read_text_table(tmp_path / "t.csv")


def test_a_quote_that_is_never_closed_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text('a,b\n1,"' + "2\n" * 2**20)
    with memory_limit(60), pytest.raises(UserError, match=r"t\.csv is not a table"):
        read_text_table(tmp_path / "t.csv")


def test_a_row_of_other_length_is_refused_with_its_line(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n" + "2,3\n" * 2**18 + "1\n" + "2,3\n" * 2**18)
    with memory_limit(60), pytest.raises(UserError, match=r"t\.csv, line 262146: found 1 fields, expected 2"):
        read_text_table(tmp_path / "t.csv")


def test_one_long_cell_does_not_make_all_others_as_long(array):
    content = "a,kind\n" + "1,x\n" * 20_000 + "2," + "y" * 100_000 + "\n"
    with memory_limit(40):
        table = array("t.csv", content, label_column="kind").load()
    assert set(table.labels) == {"x", "y" * 100_000}
