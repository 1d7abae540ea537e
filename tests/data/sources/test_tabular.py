"""The user's own file: any common table is read, and an error names the place of what is wrong."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

import numpy as np
import pytest

from deepcluster_pl.data.sources.tabular import ArrayData
from deepcluster_pl.errors import UserError

PLAIN = "id,a,b,kind\nx1,1,2.5,cat\nx2,3,4,dog\nx3,-5,6e1,cat\n"
VALUES = [[1, 2.5], [3, 4], [-5, 60]]


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        codecs.BOM_UTF8 + PLAIN.encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        codecs.BOM_UTF8 + PLAIN.replace(",", ";").replace("\n", "\r\n").encode(),
        PLAIN.rstrip().encode(),
        PLAIN.replace("\nx2", "\n\nx2").encode(),
        PLAIN.replace("x1", '"x1"').encode(),
    ],
    ids=["plain", "bom", "crlf", "semicolons", "tabs", "excel", "no last newline", "blank line", "quotes"],
)
def test_csv_of_any_dialect_gives_the_same_table(samples, content):
    found = samples("t.csv", content, label_column="kind", id_column="id")
    assert found.x == VALUES
    assert found.ids == ["x1", "x2", "x3"]
    assert list(found.labels) == ["cat", "dog", "cat"]


def test_label_and_id_columns_are_optional_and_rows_are_then_numbered(samples):
    found = samples("t.csv", "a,b\n1,2\n3,4\n")
    assert found.x == [[1, 2], [3, 4]]
    assert found.ids == [0, 1]
    assert found.labels is None


def test_columns_chooses_features_and_their_order(samples):
    assert samples("t.csv", PLAIN, columns=["b", "a"]).x == [row[::-1] for row in VALUES]


def test_label_and_id_are_never_features(samples):
    found = samples("t.csv", "a,y,n\n1,7,10\n2,8,11\n", label_column="y", id_column="n")
    assert found.x == [[1], [2]]
    assert found.labels.tolist() == [7, 8]
    assert found.ids == [10, 11]


@pytest.mark.parametrize("options", [{"label_column": "klass"}, {"id_column": "klass"}, {"columns": ["a", "klass"]}])
def test_missing_column_is_named_beside_those_found(array, options):
    with pytest.raises(UserError, match=r"t.csv has no column 'klass'; found id, a, b, kind"):
        array("t.csv", PLAIN, **options).setup()


@pytest.mark.parametrize(("row", "fields"), [("3", 1), ("3,4,5", 3)])
def test_ragged_row_is_refused_with_its_line(array, row, fields):
    with pytest.raises(UserError, match=rf"t.csv, line 3: found {fields} fields, expected 2"):
        array("t.csv", f"a,b\n1,2\n{row}\n5,6\n").load()


@pytest.mark.parametrize("cell", ["", " ", "nan", "NA"])
def test_gaps_are_counted_and_located_and_refused_where_asked(array, cell):
    content = f"n,a,b\np,1,2\nq,3,{cell}\nr,{cell},6\n"
    with pytest.raises(UserError, match=r"1 of 3 cells of 'a' are gaps, the first in line 4; type data.missing=impute"):
        array("t.csv", content, id_column="n", missing="refuse").setup()


@pytest.mark.parametrize("cell", ["inf", "1e300", "-Infinity"])
def test_numbers_that_float32_cannot_hold_are_refused_with_column_and_line(array, cell):
    with pytest.raises(UserError, match=r"t\.csv, line 3: column 'b' holds -?(inf|1e\+300), expected a number"):
        array("t.csv", f"n,a,b\np,1,2\nq,3,{cell}\nr,4,6\n", id_column="n").setup()


def test_repeated_ids_are_refused(array):
    with pytest.raises(UserError, match="occur more than once, the first is 'p'"):
        array("t.csv", "n,a\np,1\nq,2\np,3\n", id_column="n").setup()


@pytest.mark.parametrize(
    ("content", "pattern"),
    [
        ("", "an empty file"),
        ("a,b\n", "no rows"),
        ("y\n1\n", "has no feature columns"),
    ],
)
def test_table_that_is_none_is_refused(array, content, pattern):
    with pytest.raises(UserError, match=pattern):
        array("t.csv", content, label_column="y" if content == "y\n1\n" else None).setup()


@pytest.mark.parametrize("name", ["5.1", "-3", "1e5"])
def test_a_first_line_of_names_and_decimals_asks_what_it_is(array, name):
    with pytest.raises(UserError, match=rf"the first line, a,{re.escape(name)},c,d …, looks like data and like column"):
        array("t.csv", f"a,{name},c,d,e\n1,2,3,4,5\n").load()


@pytest.mark.parametrize("name", ["0", "2019", "nan", "inf", "Infinity", "x1"])
def test_columns_may_be_called_by_numbers_and_words_that_python_reads_as_numbers(samples, name):
    assert samples("t.csv", f"a,{name}\n1,2\n3,4\n").names == ["a", name]


def test_npy_stays_on_disk(array, tmp_path):
    x = np.random.default_rng(0).normal(size=(6, 4, 3))
    np.save(tmp_path / "x.npy", x)
    data = array("x.npy")
    data.setup()
    assert isinstance(data.load().x, np.memmap)
    assert data.input_shape == (4, 3)
    np.testing.assert_array_equal(data.prepared("fit"), x.reshape(6, 12).astype(np.float32))


def test_npz_gives_labels_where_it_has_them(array, tmp_path):
    x, y = np.arange(6.0).reshape(3, 2), np.array(["a", "b", "a"])
    np.savez(tmp_path / "with.npz", x=x, y=y)
    np.savez(tmp_path / "without.npz", x=x)
    assert array("with.npz").load().labels.tolist() == ["a", "b", "a"]
    assert array("without.npz").load().labels is None
    np.testing.assert_array_equal(array("without.npz").load().x, x)


def test_npz_without_x_names_what_it_holds(array, tmp_path):
    np.savez(tmp_path / "t.npz", first=np.ones((2, 2)), second=np.ones(2))
    with pytest.raises(UserError, match=r"found first, second, expected an array named x; type data\.key=<name>"):
        array("t.npz").load()


def test_single_row_of_numbers_is_one_feature(array, tmp_path):
    np.save(tmp_path / "x.npy", np.arange(5.0))
    assert array("x.npy").load().x.shape == (5, 1)


DAMAGED = {
    "truncated.npy": ("npy", lambda whole: whole[:-8]),
    "empty.npy": ("npy", lambda whole: b""),
    "text.npy": ("npy", lambda whole: b"<html>not found</html>"),
    "truncated.npz": ("npz", lambda whole: whole[: len(whole) // 2]),
    "flipped.npz": ("npz", lambda whole: whole[:2000] + bytes([whole[2000] ^ 255]) + whole[2001:]),
    "array.npz": ("npy", lambda whole: whole),
    "archive.npy": ("npz", lambda whole: whole),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_or_misnamed_file_is_refused_by_name(array, tmp_path, name):
    kind, damage = DAMAGED[name]
    whole, x = tmp_path / f"whole.{kind}", np.random.default_rng(0).normal(size=(500, 3))
    np.save(whole, x) if kind == "npy" else np.savez(whole, x=x)
    with pytest.raises(UserError, match=re.escape(name)):
        array(name, damage(whole.read_bytes())).setup()


def test_single_number_is_not_a_table(array, tmp_path):
    np.save(tmp_path / "x.npy", np.float64(3))
    with pytest.raises(UserError, match=r"x\.npy holds a single number, expected samples"):
        array("x.npy").setup()


def test_pickled_objects_are_not_loaded(array, tmp_path):
    np.save(tmp_path / "x.npy", np.array([[1, "a"]], dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match=r"x\.npy cannot be read"):
        array("x.npy").load()


class Evil:
    def __reduce__(self):
        return Path.touch, (Path("executed"),)


@pytest.mark.parametrize("labels", [{}, {"y": np.array([Evil(), Evil()], dtype=object)}])
def test_an_archive_with_pickled_objects_is_refused_and_runs_no_code(array, tmp_path, monkeypatch, labels):
    monkeypatch.chdir(tmp_path)
    x = np.ones((2, 2)) if labels else np.array([Evil(), Evil()], dtype=object)
    np.savez(tmp_path / "t.npz", x=x, **labels)
    with pytest.raises(UserError, match=r"t\.npz cannot be read as a NumPy file: Object arrays cannot be loaded"):
        array("t.npz").setup()
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("option", ["label_column", "id_column", "columns"])
def test_column_options_are_refused_for_arrays(array, tmp_path, option):
    np.save(tmp_path / "x.npy", np.ones((2, 2)))
    with pytest.raises(UserError, match=rf"data\.{option} is for tables"):
        array("x.npy", **{option: "a"}).load()


def test_unknown_suffix_names_those_that_are_read(array):
    with pytest.raises(UserError, match=r"found the suffix '\.docx', expected one of \.csv, \.tsv, \.txt, \.parquet"):
        array("t.docx", "").load()


@pytest.mark.parametrize(("path", "pattern"), [(None, "type data.path=<file>"), ("gone.csv", "no such file")])
def test_missing_file_is_an_error_that_names_the_option(common, path, pattern):
    with pytest.raises(UserError, match=rf"data\.path.*{pattern}"):
        ArrayData(path, None, None, None, **common()).load()
