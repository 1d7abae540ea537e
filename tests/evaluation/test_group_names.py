"""groups.csv is read as a person or a spreadsheet leaves it."""

from __future__ import annotations

import pytest

from deepcluster_pl.errors import UserError
from deepcluster_pl.evaluation.group_names import read_group_names, save_group_names, suggested_group_names


def test_names_are_read_as_they_were_written(tmp_path):
    save_group_names(tmp_path / "groups.csv", ["high income, plan pro", 'says "no"'], [7, 5])
    assert read_group_names(tmp_path / "groups.csv", 2) == ["high income, plan pro", 'says "no"']
    assert read_group_names(tmp_path / "none.csv", 2) is None


@pytest.mark.parametrize(
    "content",
    [
        b"cluster,name,samples\n1,B\xc3\xa4rs,5\n0,A,7\n",
        b"\xef\xbb\xbfcluster;name;samples\r\n0;A;7\r\n1;B\xc3\xa4rs;5\r\n",
        b"cluster\tname\n0\tA\n1\tB\xe4rs\n7\tnobody\n",
    ],
)
def test_a_spreadsheet_may_have_saved_them(tmp_path, content):
    (tmp_path / "groups.csv").write_bytes(content)
    assert read_group_names(tmp_path / "groups.csv", 3) == ["A", "Bärs", "group 2"]


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"cluster,name\nx,y\n", b"cluster,name\n0,a\n0\n1e9,b"])
def test_another_table_is_refused_in_a_line(tmp_path, content):
    (tmp_path / "groups.csv").write_bytes(content)
    with pytest.raises(UserError, match="holds no names of groups"):
        read_group_names(tmp_path / "groups.csv", 3)


def test_names_are_those_of_the_table_of_samples(tmp_path):
    table = tmp_path / "assignments.csv"
    assert suggested_group_names(table, 2) is None
    table.write_text("id,cluster\na,0\n")
    assert suggested_group_names(table, 2) is None
    table.write_bytes(b'id,cluster,name\n"two\nlines \xff.jpg",2,"cat, tabby"\na,0,lake\nb,-1,\n')
    assert suggested_group_names(table, 3) == ["lake", "group 1", "cat, tabby"]
    table.write_text("id,cluster,name\na,x,lake\n")
    with pytest.raises(UserError, match="is no table of a run's samples"):
        suggested_group_names(table, 2)
