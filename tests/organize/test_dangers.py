"""Each way to lose a picture while a library is organized is tried, and none is lost."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from collections import namedtuple

import pytest
from faults.test_signals_outside_training import stopped
from helpers.organizing import content_of

from deepcluster_pl.errors import UserError
from deepcluster_pl.organize.manifest import Manifest
from deepcluster_pl.organize.paths import MANIFEST_NAME
from deepcluster_pl.organize.placement import place_all
from deepcluster_pl.organize.undo import undo_all
from deepcluster_pl.utils.locking import folder_lock


@pytest.mark.parametrize("mode", ["copy", "hardlink"])
@pytest.mark.parametrize("linked", ["file", "folder"])
def test_an_original_that_became_a_link_to_its_copy_is_no_original(tmp_path, mode, linked):
    source, out = tmp_path / "library" / "a.jpg", tmp_path / "out"
    source.parent.mkdir()
    source.write_bytes(b"the only one")
    place_all([(source, "group")], out, mode)
    source.unlink()
    if linked == "file":
        source.symlink_to(out / "group" / "a.jpg")
    else:
        source.parent.rmdir()
        source.parent.symlink_to(out / "group")
    result = undo_all(out, apply=True)
    assert result.removed == 0
    assert (out / "group" / "a.jpg").read_bytes() == b"the only one"


def test_a_hard_link_of_a_link_is_the_picture_itself(tmp_path):
    (tmp_path / "else").mkdir()
    (tmp_path / "library").mkdir()
    (tmp_path / "else" / "a.jpg").write_bytes(b"picture")
    (tmp_path / "library" / "a.jpg").symlink_to("../else/a.jpg")
    place_all([(tmp_path / "library" / "a.jpg", "deep/group")], tmp_path / "out", "hardlink")
    placed = tmp_path / "out" / "deep" / "group" / "a.jpg"
    assert not placed.is_symlink()
    assert placed.read_bytes() == b"picture"
    assert undo_all(tmp_path / "out", apply=True).removed == 1
    assert (tmp_path / "library" / "a.jpg").read_bytes() == b"picture"


def test_a_folder_that_would_be_inside_the_library_is_refused(library, tmp_path, organize):
    root, run, _ = library
    (tmp_path / "holding").symlink_to(root)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "2019").symlink_to(root)
    before = content_of(root)
    code, _, err = organize(f"run={run}", f"to={tmp_path / 'out'}", "by=month", "apply=true")
    assert code == 1
    assert "would be inside the library" in err
    assert organize(f"run={run}", f"to={tmp_path / 'holding' / 'new'}", "apply=true")[0] == 1
    assert content_of(root) == before


def test_a_second_command_in_one_folder_is_refused_while_the_first_runs(library, tmp_path, organize):
    _, run, _ = library
    out = tmp_path / "out"
    with folder_lock(out):
        code, _, err = organize(f"run={run}", f"to={out}", "apply=true")
    assert code == 1
    assert f"{out} is in use by process {os.getpid()}" in err
    assert organize(f"run={run}", f"to={out}", "apply=true")[0] == 0
    with folder_lock(out):
        assert organize(f"undo={out}", "apply=true")[0] == 1
        assert organize(f"undo={out}")[0] == 0
    assert len(Manifest(out).placed) == 16


def test_free_space_is_needed_only_for_files_that_are_not_there_yet(library, tmp_path, organize, monkeypatch):
    _, run, _ = library
    out = tmp_path / "out"
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(0))
    code, _, err = organize(f"run={run}", f"to={out}", "apply=true")
    assert code == 1
    assert "copies need" in err
    assert not out.exists()
    monkeypatch.undo()
    assert organize(f"run={run}", f"to={out}", "apply=true")[0] == 0
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(0))
    assert "16 were already there" in organize(f"run={run}", f"to={out}", "apply=true")[1]


@pytest.mark.parametrize("mode", ["copy", "symlink"])
def test_a_file_that_cannot_be_listed_is_not_left_there(tmp_path, monkeypatch, mode):
    (tmp_path / "a.jpg").write_bytes(b"a")
    (tmp_path / "b.jpg").write_bytes(b"b")
    wanted = [(tmp_path / "a.jpg", "group"), (tmp_path / "b.jpg", "group")]
    plain, synced = os.fsync, []

    def full(descriptor):
        synced.append(descriptor)
        if len(synced) == 3:  # the folder's line, the first file's, the second's
            raise OSError(errno.ENOSPC, "No space left on device")
        plain(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="1 files were placed, type the command again to resume"):
        place_all(wanted, tmp_path / "out", mode)
    assert [placed.name for placed in Manifest(tmp_path / "out").placed] == ["a.jpg"]
    assert sorted(path.name for path in (tmp_path / "out").rglob("*")) == ["a.jpg", "group", MANIFEST_NAME]
    monkeypatch.undo()
    result = place_all(wanted, tmp_path / "out", mode)
    assert (result.kept, result.placed) == (1, 1)
    assert undo_all(tmp_path / "out", apply=True).removed == 2


def test_a_file_that_cannot_be_removed_is_named_and_the_others_are_removed(tmp_path, monkeypatch):
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(name.encode())
    out = tmp_path / "out"
    place_all([(tmp_path / "a.jpg", "one"), (tmp_path / "b.jpg", "two")], out, "copy")
    plain = type(out).unlink

    def refused(path, missing_ok=False):
        if path.name == "a.jpg":
            raise PermissionError(errno.EACCES, "Permission denied")
        plain(path, missing_ok)

    monkeypatch.setattr(type(out), "unlink", refused)
    result = undo_all(out, apply=True)
    assert (result.removed, result.kept) == (1, {str(out / "one" / "a.jpg"): "Permission denied"})
    assert not (out / "two").exists()
    assert (out / MANIFEST_NAME).is_file()


def test_a_signal_leaves_no_half_copy_and_says_what_to_type(library, tmp_path):
    _, run, _ = library
    words = ["organize", f"run={run}", f"to={tmp_path / 'out'}", "apply=true"]
    place = ("deepcluster_pl.organize.placement", "move_to_free_name")
    assert stopped(words, tmp_path, signal.SIGHUP, place) == (129, "interrupted; type the command again\n")
    assert [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()] == [MANIFEST_NAME]


def test_an_undo_removes_the_folders_that_it_made_and_no_empty_one_of_the_users(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"a")
    out = tmp_path / "out"
    (out / "2019" / "mine").mkdir(parents=True)
    place_all([(tmp_path / "a.jpg", folder) for folder in ("2019/mine", "2019/new/deep", "new")], out, "copy")
    assert undo_all(out, apply=True).removed == 3
    assert [path.relative_to(out).as_posix() for path in sorted(out.rglob("*"))] == ["2019", "2019/mine"]
