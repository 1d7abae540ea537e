"""Ways to lose a picture while a library is organized, each tried."""

from __future__ import annotations

import errno
import os
from collections import namedtuple

import pytest
from test_organizing import call, everything, library  # noqa: F401  (fixtures)

from deepcluster_pl.errors import UserError
from deepcluster_pl.organize import command as organize
from deepcluster_pl.organize.manifest import NAME, Manifest
from deepcluster_pl.organize.placement import place_all
from deepcluster_pl.organize.undo import undo
from deepcluster_pl.utils.locking import folder_lock


@pytest.mark.parametrize("mode", ["copy", "hardlink"])
@pytest.mark.parametrize("what", ["file", "folder"])
def test_an_original_that_became_a_link_to_its_copy_is_no_original(tmp_path, mode, what):
    source, out = tmp_path / "library" / "a.jpg", tmp_path / "out"
    source.parent.mkdir()
    source.write_bytes(b"the only one")
    place_all([(source, "group")], out, mode)
    source.unlink()
    if what == "file":
        source.symlink_to(out / "group" / "a.jpg")
    else:
        source.parent.rmdir()
        source.parent.symlink_to(out / "group")
    result = undo(out, apply=True)
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
    assert undo(tmp_path / "out", apply=True).removed == 1
    assert (tmp_path / "library" / "a.jpg").read_bytes() == b"picture"


def test_a_group_that_would_lie_in_the_library_is_refused(library, tmp_path, call):  # noqa: F811
    root, run, _ = library
    (tmp_path / "holding").symlink_to(root)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "2019").symlink_to(root)
    before = everything(root)
    code, _, err = call(f"run={run}", f"to={tmp_path / 'out'}", "by=month", "apply=true")
    assert code == 1
    assert "would lie in the library itself" in err
    assert call(f"run={run}", f"to={tmp_path / 'holding' / 'new'}", "apply=true")[0] == 1
    assert everything(root) == before


def test_two_at_once_in_one_folder_are_one_too_many(library, tmp_path, call):  # noqa: F811
    _, run, _ = library
    out = tmp_path / "out"
    with folder_lock(out):
        code, _, err = call(f"run={run}", f"to={out}", "apply=true")
    assert code == 1
    assert f"{out} is in use by process {os.getpid()}" in err
    assert call(f"run={run}", f"to={out}", "apply=true")[0] == 0
    with folder_lock(out):
        assert call(f"undo={out}", "apply=true")[0] == 1
        assert call(f"undo={out}")[0] == 0
    assert len(Manifest(out).placed) == 16


def test_room_is_needed_only_for_what_is_not_there_yet(library, tmp_path, call, monkeypatch):  # noqa: F811
    _, run, _ = library
    out = tmp_path / "out"
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(organize.shutil, "disk_usage", lambda path: usage(0))
    code, _, err = call(f"run={run}", f"to={out}", "apply=true")
    assert code == 1
    assert "copies need" in err
    assert not out.exists()
    monkeypatch.undo()
    assert call(f"run={run}", f"to={out}", "apply=true")[0] == 0
    monkeypatch.setattr(organize.shutil, "disk_usage", lambda path: usage(0))
    assert "16 were there already" in call(f"run={run}", f"to={out}", "apply=true")[1]


@pytest.mark.parametrize("mode", ["copy", "symlink"])
def test_a_file_that_cannot_be_listed_is_not_left_there(tmp_path, monkeypatch, mode):
    (tmp_path / "a.jpg").write_bytes(b"a")
    (tmp_path / "b.jpg").write_bytes(b"b")
    wanted = [(tmp_path / "a.jpg", "group"), (tmp_path / "b.jpg", "group")]
    plain, synced = os.fsync, []

    def full(descriptor):
        synced.append(descriptor)
        if len(synced) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        plain(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="1 files were placed, type it again to go on"):
        place_all(wanted, tmp_path / "out", mode)
    assert [one.name for one in Manifest(tmp_path / "out").placed] == ["a.jpg"]
    assert sorted(path.name for path in (tmp_path / "out").rglob("*")) == ["a.jpg", "group", NAME]
    monkeypatch.undo()
    result = place_all(wanted, tmp_path / "out", mode)
    assert (result.kept, result.placed) == (1, 1)
    assert undo(tmp_path / "out", apply=True).removed == 2


def test_what_may_not_be_removed_is_named_and_the_rest_is(tmp_path, monkeypatch):
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
    result = undo(out, apply=True)
    assert (result.removed, result.kept) == (1, {str(out / "one" / "a.jpg"): "Permission denied"})
    assert (out / NAME).is_file()
