"""Organizing a library: nothing is ever written over, moved or lost, and all of it can be taken back."""

from __future__ import annotations

import csv
import errno
import json
import os
import sys

import pytest

from deepcluster_pl.errors import UserError
from deepcluster_pl.organize import command as organize
from deepcluster_pl.organize import placing
from deepcluster_pl.organize.choices import Choices, read_choices
from deepcluster_pl.organize.manifest import NAME, Manifest
from deepcluster_pl.organize.placement import place_all
from deepcluster_pl.organize.plan import safe_name
from deepcluster_pl.organize.undo import undo
from deepcluster_pl.reporting.gallery.selection import partition_digest

HOSTILE = [
    "a b.jpg", "q\"u'o.jpg", "<script>.jpg", "=cmd().jpg", "#1.jpg", "line\nend.jpg", os.fsdecode(b"caf\xe9.jpg"),
    "照片.jpg",
]  # fmt: skip


def everything(folder):
    """Every file below a folder, with its content and time."""
    return {
        path.relative_to(folder).as_posix(): (os.readlink(path) if path.is_symlink() else path.read_bytes())
        for path in sorted(folder.rglob("*")) if path.is_symlink() or path.is_file()
    }  # fmt: skip


@pytest.fixture
def library(tmp_path):
    """A run on a library of hostile names, written as a run writes it, two pictures of one name among them."""
    root, run = tmp_path / "library", tmp_path / "run"
    names = [f"{folder}/{name}" for folder in ("2019", "other") for name in HOSTILE]
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"picture %d" % number)
    (run / "config").mkdir(parents=True)
    (run / "config" / "config.yaml").write_text(f"data: {{root: {json.dumps(str(root))}}}\n")
    (run / "config" / "hydra.yaml").write_text(f"hydra: {{runtime: {{cwd: {tmp_path}}}}}\n")
    (run / "config" / "overrides.yaml").write_text("[]\n")
    with (run / "assignments.csv").open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        rows = [[name, "fit", number % 3] for number, name in enumerate(names)]
        csv.writer(file).writerows([["id", "part", "cluster"], *rows])
    with (run / "pictures.csv").open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        dates, places = ["2019-07-28T18:03:11"] * 8 + [""] * 8, [["", ""], [30.2, 4.0]] * 8
        facts = [[name, date, *place] for name, date, place in zip(names, dates, places, strict=True)]
        csv.writer(file).writerows([["id", "taken", "latitude", "longitude"], *facts])
    return root, run, names


def typed(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["organize", *map(str, arguments)])
    code = organize.main()
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def call(monkeypatch, capsys):
    return lambda *arguments: typed(monkeypatch, capsys, *arguments)


def test_a_dry_run_does_nothing_and_says_what_it_would(library, tmp_path, call):
    _, run, names = library
    before = everything(tmp_path)
    code, out, _ = call(f"run={run}", f"to={tmp_path / 'out'}")
    assert code == 0
    assert f"{len(names)} files would be placed" in out
    assert everything(tmp_path) == before
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("mode", ["copy", "symlink", "hardlink"])
def test_every_picture_arrives_and_all_is_taken_back(library, tmp_path, call, mode):
    root, run, names = library
    before, out = everything(root), tmp_path / "out"
    (out / "group 0").mkdir(parents=True)
    (out / "group 0" / "a b.jpg").write_bytes(b"somebody else's")
    assert call(f"run={run}", f"to={out}", f"mode={mode}", "apply=true")[0] == 0
    placed = Manifest(out).placed
    assert sorted(one.source for one in placed) == sorted(str(root / name) for name in names)
    for one in placed:
        path = out / one.folder / one.name
        assert path.read_bytes() == (root / os.path.relpath(one.source, root)).read_bytes()
        assert path.is_symlink() == (mode == "symlink")
    assert (out / "group 0" / "a b.jpg").read_bytes() == b"somebody else's"
    assert (out / "group 0" / "a b (2).jpg").exists()
    assert everything(root) == before
    again = everything(out)
    code, said, _ = call(f"run={run}", f"to={out}", f"mode={mode}", "apply=true")
    assert (code, everything(out)) == (0, again)
    assert f"{len(names)} were there already" in said
    assert "would be removed" in call(f"undo={out}")[1]
    assert everything(out) == again
    assert call(f"undo={out}", "apply=true")[0] == 0
    assert everything(out) == {"group 0/a b.jpg": b"somebody else's"}
    assert everything(root) == before


def test_an_undo_keeps_what_was_changed_and_what_may_be_the_last_copy(library, tmp_path, call):
    _, run, _ = library
    out = tmp_path / "out"
    call(f"run={run}", f"to={out}", "apply=true")
    changed, orphan, *others = Manifest(out).placed
    (out / changed.folder / changed.name).write_bytes(b"edited")
    os.unlink(orphan.source)
    code, said, err = call(f"undo={out}", "apply=true")
    assert code == 1
    assert "2 stay" in said
    assert "was changed since" in err
    assert "may be the last copy" in err
    assert (out / changed.folder / changed.name).read_bytes() == b"edited"
    assert (out / orphan.folder / orphan.name).exists()
    assert (out / NAME).is_file()
    assert not any((out / one.folder / one.name).exists() for one in others)


def test_names_merges_and_what_can_go_come_from_the_gallery(library, tmp_path, call):
    root, run, names = library
    digest = partition_digest(names, [number % 3 for number in range(len(names))])
    saved = {"schema": 1, "partition": digest, "can_go": [names[6]],
             "groups": [{"clusters": [0, 2], "name": "../Pets: <b>", "can_go": False},
                        {"clusters": [1], "name": "", "can_go": True}]}  # fmt: skip
    (tmp_path / "choices.json").write_text(json.dumps(saved))
    code, _, err = call(f"run={run}", f"to={tmp_path / 'out'}", f"gallery={tmp_path / 'choices.json'}", "apply=true")
    assert code == 0, err
    folders = {one.source: one.folder for one in Manifest(tmp_path / "out").placed}
    for number, name in enumerate(names):
        own = "can go/group 1" if number % 3 == 1 else "_Pets_ _b_"
        assert folders[str(root / name)] == (f"can go/{own}" if number == 6 else own)


def test_months_and_places(library, tmp_path, call):
    _, run, _ = library
    out = call(f"run={run}", f"to={tmp_path / 'out'}", "by=month")[1]
    assert "2019/2019-07" in out
    assert "no date" in out
    out = call(f"run={run}", f"to={tmp_path / 'out'}", "by=place")[1]
    assert "30.2 N, 4.0 E" in out
    assert "no place" in out


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"schema": 2}, "found schema 2, expected 1"),
        ({"partition": "another"}, "in the gallery of another run"),
        ({"groups": [{}]}, "holds no choices of a gallery"),
        ({"groups": None}, "holds no choices of a gallery"),
    ],
)
def test_choices_that_are_none_are_refused(tmp_path, change, text):
    file = tmp_path / "gallery.json"
    file.write_text(json.dumps({"schema": 1, "partition": "p", "groups": [], "can_go": [], **change}))
    with pytest.raises(UserError, match=text):
        read_choices(file, "p")
    file.write_text("{")
    with pytest.raises(UserError, match="holds no choices"):
        read_choices(file, "p")
    with pytest.raises(UserError, match="cannot be read"):
        read_choices(tmp_path, "p")


def test_a_try_that_was_stopped_is_gone_on_with(library, tmp_path, call, monkeypatch):
    root, run, names = library
    out, count = tmp_path / "out", []
    plain = placing._move_to_free

    def stopped(part, place):
        count.append(place)
        if len(count) == 5:
            raise KeyboardInterrupt
        plain(part, place)

    monkeypatch.setattr(placing, "_move_to_free", stopped)
    with pytest.raises(KeyboardInterrupt):
        call(f"run={run}", f"to={out}", "apply=true")
    with (out / NAME).open("ab") as file:
        file.write(b'["/cut')  # as if killed within a line
    assert call(f"run={run}", f"to={out}", "apply=true")[0] == 0
    assert len(Manifest(out).placed) == len(names)
    assert sorted(everything(root).values()) == sorted(v for k, v in everything(out).items() if k != NAME)


def test_an_original_that_is_gone_is_named_and_the_others_are_placed(library, tmp_path, call):
    root, run, names = library
    (root / names[0]).unlink()
    code, out, err = call(f"run={run}", f"to={tmp_path / 'out'}", "apply=true")
    assert code == 1
    assert f"{len(names) - 1} of {len(names)} files placed" in out
    assert "No such file" in err


@pytest.mark.parametrize(
    ("number", "mode", "text"),
    [(errno.ENOSPC, "copy", "No space left.*go on"), (errno.EXDEV, "hardlink", "type mode=copy")],
)
def test_what_a_disk_refuses_is_one_line(library, tmp_path, monkeypatch, number, mode, text):
    root, _, names = library

    def refused(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(
        placing.shutil if mode == "copy" else placing.os, "copy2" if mode == "copy" else "link", refused
    )
    with pytest.raises(UserError, match=text):
        place_all([(root / names[0], "x")], tmp_path / "out", mode)


def test_a_disk_without_hard_links_gets_copies_all_the_same(library, tmp_path, monkeypatch):
    root, _, names = library

    def refused(*_):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(placing.os, "link", refused)
    place_all([(root / name, "x") for name in names], tmp_path / "out", "copy")
    assert sorted(everything(tmp_path / "out" / "x").values()) == sorted(everything(root).values())


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["run={run}"], "to= is missing"),
        (["run={run}", "to={root}/below"], "lies in the library itself"),
        (["run={root}", "to={out}"], "found no run on a folder of pictures"),
        (["run={run}", "to={out}", "mode=move"], "expected mode=copy or symlink or hardlink"),
        (["run={run}", "to={out}", "color=red"], "expected run=, to="),
        (["undo={root}"], f"found no {NAME} there"),
        (["undo={root}", "run={run}"], "leave out run="),
        (["run={run}", "to={run}/assignments.csv"], "is a file"),
    ],
)
def test_what_cannot_be_done_is_one_line(library, tmp_path, call, arguments, text):
    root, run, _ = library
    before = everything(tmp_path)
    code, _, err = call(*(text.format(run=run, root=root, out=tmp_path / "out") for text in arguments))
    assert code == 1
    assert text in err
    assert len(err.strip().splitlines()) == 1
    assert everything(tmp_path) == before


def test_a_damaged_list_is_named_and_nothing_is_removed(library, tmp_path, call):
    _, run, _ = library
    out = tmp_path / "out"
    call(f"run={run}", f"to={out}", "apply=true")
    lines = (out / NAME).read_bytes().splitlines(keepends=True)
    (out / NAME).write_bytes(lines[0] + b"{}\n" + b"".join(lines[2:]))
    before = everything(out)
    with pytest.raises(UserError, match=r"line 2: found no file that was placed"):
        undo(out, apply=True)
    assert everything(out) == before


@pytest.mark.parametrize(
    "text", ["..", "", "a/b", "nul.txt", "\u202eevil", "x" * 300, "照" * 300, "can go", " dots... "]
)
def test_any_name_becomes_one_plain_folder(tmp_path, text):
    name = safe_name(text)
    (tmp_path / "t" / name).mkdir(parents=True)
    assert [path.name for path in (tmp_path / "t").iterdir()] == [name]
    assert Choices().name(4) == "group 4"
