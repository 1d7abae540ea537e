"""Tables and lists from elsewhere: nothing outside the library and the target is read, written or removed."""

from __future__ import annotations

import csv
import json
import os

import pytest
from helpers.organizing import content_of

from deepcluster_pl.errors import UserError
from deepcluster_pl.organize import paths
from deepcluster_pl.organize.manifest import Manifest
from deepcluster_pl.organize.paths import MANIFEST_NAME, problem_of_path
from deepcluster_pl.organize.placement import file_digest, place_all
from deepcluster_pl.organize.plan import safe_folder_name
from deepcluster_pl.organize.undo import undo_all


def add_row(table, row):
    with table.open("a", newline="") as file:
        csv.writer(file).writerow(row)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("../secret", "leads out of its folder"),
        ("2019/../../secret", "leads out of its folder"),
        ("/etc/passwd", "is an absolute path"),
        ("a\0b", "holds a NUL character"),
        ("", "has an empty part"),
    ],
)
@pytest.mark.parametrize("table", ["assignments.csv", "pictures.csv"])
def test_a_path_that_is_not_below_the_library_is_refused_by_name(library, tmp_path, organize, table, name, problem):
    _, run, _ = library
    (tmp_path / "secret").write_text("secret")
    add_row(run / table, [name, "fit", 0] if table == "assignments.csv" else [name, "", "", ""])
    before = content_of(tmp_path)
    code, _, err = organize(f"run={run}", f"to={tmp_path / 'out'}", "apply=true")
    assert code == 1
    assert table in err
    assert problem in err or "line contains NUL" in err
    assert len(err.strip().splitlines()) == 1
    assert content_of(tmp_path) == before
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("table", "row", "problem"),
    [
        ("assignments.csv", ["x.jpg", "fit", "../up"], "found '../up' as the cluster, expected a number"),
        ("assignments.csv", ["x.jpg"], "found a row that is cut off"),
        ("pictures.csv", ["x.jpg", "../../up", "", ""], "found '../../up' as taken, expected YYYY-MM-DDTHH:MM:SS"),
        ("pictures.csv", ["x.jpg", "", "../up", "1"], "found '../up' as a place, expected degrees"),
        ("pictures.csv", ["x.jpg", "", "nan", "1"], "found 'nan' as a place, expected degrees"),
    ],
)
def test_a_table_holds_clusters_dates_and_places_or_is_refused(library, tmp_path, organize, table, row, problem):
    _, run, _ = library
    add_row(run / table, row)
    code, _, err = organize(f"run={run}", f"to={tmp_path / 'out'}", "by=month", "apply=true")
    assert code == 1
    assert problem in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_table_without_its_columns_is_refused(library, tmp_path, organize):
    _, run, _ = library
    (run / "assignments.csv").write_text("a,b\n1,2\n")
    assert "found no column id" in organize(f"run={run}", f"to={tmp_path / 'out'}")[2]


def test_a_link_out_of_the_library_is_an_original_only_where_the_run_followed_it(library, tmp_path, organize):
    root, run, names = library
    (tmp_path / "secret").write_bytes(b"secret")
    (root / names[0]).unlink()
    (root / names[0]).symlink_to(tmp_path / "secret")
    code, _, err = organize(f"run={run}", f"to={tmp_path / 'out'}", "apply=true")
    assert code == 1
    assert "leads out of the library" in err
    assert not (tmp_path / "out").exists()
    config = run / "config" / "config.yaml"
    config.write_text(config.read_text().replace("}", ", follow_links: true}"))
    assert organize(f"run={run}", f"to={tmp_path / 'out'}", "apply=true")[0] == 0


def test_a_library_that_is_no_path_is_one_line(library, tmp_path, organize):
    _, run, _ = library
    (run / "config" / "config.yaml").write_text('data: {root: "a\\0b"}\n')
    code, _, err = organize(f"run={run}", f"to={tmp_path / 'out'}")
    assert code == 1
    assert "names no folder" in err
    assert len(err.strip().splitlines()) == 1


def test_a_link_below_the_target_is_not_followed(library, tmp_path, organize):
    _, run, names = library
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "group 1").symlink_to(tmp_path / "elsewhere")
    code, _, err = organize(f"run={run}", f"to={tmp_path / 'out'}", "apply=true")
    assert code == 1
    assert "leads out of" in err
    with pytest.raises(UserError, match=r"leads out of .* by a link"):
        place_all([(library[0] / names[0], "group 1")], tmp_path / "out", "copy")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_library_is_recognized_under_another_name_as_by_a_mount(library, tmp_path, organize, monkeypatch):
    root, run, _ = library
    mounted, below = tmp_path / "mounted", tmp_path / "below"
    mounted.mkdir()
    below.mkdir()
    plain = os.stat
    alias = {mounted: root, below: root / "2019"}
    monkeypatch.setattr(paths.os, "stat", lambda path, **options: plain(alias.get(path, path), **options))
    for place in (mounted, mounted / "new", below / "new"):
        code, _, err = organize(f"run={run}", f"to={place}", "apply=true")
        assert code == 1, place
        assert "is inside the library" in err
    assert [list(mounted.iterdir()), list(below.iterdir())] == [[], []]


@pytest.mark.parametrize("name", ["con.jpg", "AUX", "com1.png", "organized.jsonl", "Run.lock", "run.owner"])
def test_reserved_names_get_an_underscore(tmp_path, name):
    (tmp_path / name).write_bytes(b"picture")
    place_all([(tmp_path / name, "group")], tmp_path / "out", "copy")
    assert [path.name for path in (tmp_path / "out" / "group").iterdir()] == [f"_{name}"]
    assert safe_folder_name(name) == f"_{name}"
    assert undo_all(tmp_path / "out", apply=True).removed == 1


def listed(folder, source, name="victim", mode="copy", digest=None):
    """A line of the list, as if it had placed a file."""
    return json.dumps([str(source), folder, name, mode, file_digest(source) if digest is None else digest]) + "\n"


@pytest.mark.parametrize(
    ("folder", "name", "problem"),
    [
        ("..", "victim", "leads out of its folder"),
        ("a/../..", "victim", "leads out of its folder"),
        ("a", "../../victim", "as a file name"),
        ("{parent}", "victim", "is an absolute path"),
        ("a", "{parent}/victim", "as a file name"),
        ("a", "..", "leads out of its folder"),
        ("a\0", "victim", "holds a NUL character"),
        ("", "victim", "has an empty part"),
        ("a", "nul.txt", "has a reserved name"),
        ("a", "run.lock", "has a reserved name"),
        ("organized.jsonl", "x", "has a reserved name"),
    ],
)
@pytest.mark.parametrize("apply", ["true", "false"])
def test_a_list_that_names_files_outside_its_folder_removes_nothing(tmp_path, organize, folder, name, problem, apply):
    (tmp_path / "victim").write_bytes(b"mine")
    (tmp_path / "original").write_bytes(b"mine")
    out = tmp_path / "out"
    out.mkdir()
    folder, name = (text.replace("{parent}", str(tmp_path)) for text in (folder, name))
    (out / MANIFEST_NAME).write_text(listed(folder, tmp_path / "original", name))
    before = content_of(tmp_path)
    code, _, err = organize(f"undo={out}", f"apply={apply}")
    assert code == 1
    assert f"{MANIFEST_NAME}, line 1: " in err
    assert problem in err
    assert content_of(tmp_path) == before


@pytest.mark.parametrize(
    "change", [{"mode": "move"}, {"digest": ""}, {"digest": "x" * 64}, {"mode": "symlink"}, {"source": "original"}]
)
def test_a_line_that_this_program_does_not_write_is_refused(tmp_path, change):
    (tmp_path / "original").write_bytes(b"mine")
    (tmp_path / "group").mkdir()
    (tmp_path / "group" / "victim").write_bytes(b"mine")
    line = dict(zip(("source", "folder", "name", "mode", "digest"), json.loads(listed("group", tmp_path / "original")),
                    strict=True)) | change  # fmt: skip
    (tmp_path / MANIFEST_NAME).write_text(json.dumps(list(line.values())) + "\n")
    with pytest.raises(UserError, match=r"line 1: found .*, which this program does not write"):
        undo_all(tmp_path, apply=True)
    assert (tmp_path / "group" / "victim").read_bytes() == b"mine"


def test_an_undo_follows_no_link_out_of_its_folder(tmp_path):
    (tmp_path / "original").write_bytes(b"mine")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "victim").write_bytes(b"mine")
    out = tmp_path / "out"
    out.mkdir()
    (out / "group").symlink_to(tmp_path / "elsewhere")
    (out / MANIFEST_NAME).write_text(listed("group", tmp_path / "original"))
    result = undo_all(out, apply=True)
    assert (result.removed, result.kept) == (0, {str(out / "group" / "victim"): "a link leads out of the folder"})
    assert (tmp_path / "elsewhere" / "victim").read_bytes() == b"mine"


def test_a_list_that_is_a_link_is_not_written_through(library, tmp_path, organize):
    _, run, _ = library
    (tmp_path / "mine").touch()
    out = tmp_path / "out"
    out.mkdir()
    (out / MANIFEST_NAME).symlink_to(tmp_path / "mine")
    for words in ([f"run={run}", f"to={out}"], [f"undo={out}"]):
        code, _, err = organize(*words, "apply=true")
        assert code == 1
        assert "is a link or no file" in err
    assert (tmp_path / "mine").read_bytes() == b""
    assert [path.name for path in out.iterdir()] == [MANIFEST_NAME]


@pytest.mark.parametrize("content", [b"", b"my notes", b'{"a": 1}', b'["mine"'])
def test_a_file_of_the_users_with_the_name_of_the_list_is_not_changed_by_an_undo(tmp_path, organize, content):
    (tmp_path / MANIFEST_NAME).write_bytes(content)
    for apply in ("false", "true"):
        organize(f"undo={tmp_path}", f"apply={apply}")
        assert content_of(tmp_path) == {MANIFEST_NAME: content}


def test_a_run_lock_of_the_users_in_the_target_is_refused_by_name(library, tmp_path, organize):
    _, run, _ = library
    out = tmp_path / "out"
    out.mkdir()
    (out / "run.lock").write_text("mine")
    (out / ".scores.json.abcdefgh.part").write_text("mine")
    code, _, err = organize(f"run={run}", f"to={out}", "apply=true")
    assert code == 1
    assert f"{out / 'run.lock'} is no lock of this program" in err
    (out / "run.lock").unlink()
    assert organize(f"run={run}", f"to={out}", "apply=true")[0] == 0
    assert (out / ".scores.json.abcdefgh.part").read_text() == "mine"
    assert len(Manifest(out).placed) == 16


def test_names_of_devices_are_refused_in_tables_on_windows():
    assert problem_of_path("2019/aux.jpg", device_names=True) == "has a reserved name"
    assert problem_of_path("2019/aux.jpg", device_names=False) == ""
