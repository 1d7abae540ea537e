"""Organizing a library: nothing is ever overwritten, moved or lost, and all of it can be undone."""

from __future__ import annotations

import argparse
import errno
import json
import os
import re
import subprocess
import sys

import pytest
from helpers.organizing import content_of

from deepcluster_pl.errors import UserError
from deepcluster_pl.organize import placement
from deepcluster_pl.organize.choices import Choices, read_choices
from deepcluster_pl.organize.command import add_parser, execute
from deepcluster_pl.organize.manifest import Manifest
from deepcluster_pl.organize.paths import MANIFEST_NAME
from deepcluster_pl.organize.placement import place_all
from deepcluster_pl.organize.plan import folder_for, read_pictures, safe_folder_name
from deepcluster_pl.organize.undo import undo_all
from deepcluster_pl.reporting.gallery.digest import partition_digest


def test_a_dry_run_does_nothing_and_counts_the_files(library, tmp_path, organize):
    _, run, names = library
    before = content_of(tmp_path)
    code, out, _ = organize(f"run={run}", f"to={tmp_path / 'out'}")
    assert code == 0
    assert f"{len(names)} files would be placed" in out
    assert content_of(tmp_path) == before
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("mode", ["copy", "symlink", "hardlink"])
def test_every_picture_is_placed_and_all_is_undone(library, tmp_path, organize, mode):
    root, run, names = library
    before, out = content_of(root), tmp_path / "out"
    (out / "group 0").mkdir(parents=True)
    (out / "group 0" / "a b.jpg").write_bytes(b"somebody else's")
    assert organize(f"run={run}", f"to={out}", f"mode={mode}", "apply=true")[0] == 0
    placed = Manifest(out).placed
    assert sorted(file.source for file in placed) == sorted(str(root / name) for name in names)
    for file in placed:
        path = out / file.folder / file.name
        assert path.read_bytes() == (root / os.path.relpath(file.source, root)).read_bytes()
        assert path.is_symlink() == (mode == "symlink")
    assert (out / "group 0" / "a b.jpg").read_bytes() == b"somebody else's"
    assert (out / "group 0" / "a b (2).jpg").exists()
    assert content_of(root) == before
    again = content_of(out)
    code, out_text, _ = organize(f"run={run}", f"to={out}", f"mode={mode}", "apply=true")
    assert (code, content_of(out)) == (0, again)
    assert f"{len(names)} were already there" in out_text
    assert "would be removed" in organize(f"undo={out}")[1]
    assert content_of(out) == again
    assert organize(f"undo={out}", "apply=true")[0] == 0
    assert content_of(out) == {"group 0/a b.jpg": b"somebody else's"}
    assert content_of(root) == before


def test_an_undo_keeps_what_was_changed_and_what_may_be_the_last_copy(library, tmp_path, organize):
    _, run, _ = library
    out = tmp_path / "out"
    organize(f"run={run}", f"to={out}", "apply=true")
    changed, orphan, *others = Manifest(out).placed
    (out / changed.folder / changed.name).write_bytes(b"edited")
    os.unlink(orphan.source)
    code, out_text, err = organize(f"undo={out}", "apply=true")
    assert code == 1
    assert "2 are not removed" in out_text
    assert "has changed since" in err
    assert "may be the last copy" in err
    assert (out / changed.folder / changed.name).read_bytes() == b"edited"
    assert (out / orphan.folder / orphan.name).exists()
    assert (out / MANIFEST_NAME).is_file()
    assert not any((out / file.folder / file.name).exists() for file in others)


def test_names_merges_and_marks_come_from_the_gallery(library, tmp_path, organize):
    root, run, names = library
    digest = partition_digest(names, [number % 3 for number in range(len(names))])
    saved = {"schema": 1, "partition": digest, "can_go": [names[6]],
             "groups": [{"clusters": [0, 2], "name": "../Pets: <b>", "can_go": False},
                        {"clusters": [1], "name": "", "can_go": True}]}  # fmt: skip
    (tmp_path / "choices.json").write_text(json.dumps(saved))
    code, _, err = organize(
        f"run={run}", f"to={tmp_path / 'out'}", f"gallery={tmp_path / 'choices.json'}", "apply=true"
    )
    assert code == 0, err
    folders = {file.source: file.folder for file in Manifest(tmp_path / "out").placed}
    for number, name in enumerate(names):
        own = "can go/group 1" if number % 3 == 1 else "_Pets_ _b_"
        assert folders[str(root / name)] == (f"can go/{own}" if number == 6 else own)


def test_folders_are_named_after_months_or_places(library, tmp_path, organize):
    _, run, _ = library
    out = organize(f"run={run}", f"to={tmp_path / 'out'}", "by=month")[1]
    assert "2019/2019-07" in out
    assert "no date" in out
    out = organize(f"run={run}", f"to={tmp_path / 'out'}", "by=place")[1]
    assert "30.2 N, 4.0 E" in out
    assert "no place" in out


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"schema": 2}, "found schema 2, expected 1"),
        ({"partition": "another"}, "in the gallery of another run"),
        ({"groups": [{}]}, "holds no gallery choices"),
        ({"groups": None}, "holds no gallery choices"),
    ],
)
def test_a_file_without_choices_is_refused(tmp_path, change, text):
    file = tmp_path / "gallery.json"
    file.write_text(json.dumps({"schema": 1, "partition": "p", "groups": [], "can_go": [], **change}))
    with pytest.raises(UserError, match=text):
        read_choices(file, "p")
    file.write_text("{")
    with pytest.raises(UserError, match="holds no gallery choices"):
        read_choices(file, "p")
    with pytest.raises(UserError, match="holds no gallery choices"):
        read_choices(tmp_path, "p")
    with pytest.raises(UserError, match="cannot be read"):
        read_choices(tmp_path / "absent.json", "p")


def test_a_number_that_is_none_is_refused(tmp_path):
    file = tmp_path / "gallery.json"
    content = {"schema": 1, "partition": "p", "groups": [{"clusters": [0], "name": "x", "can_go": False}], "can_go": []}
    file.write_text(json.dumps(content).replace("[0]", "[1e999]"))
    with pytest.raises(UserError, match="holds no gallery choices"):
        read_choices(file, "p")


def test_an_interrupted_command_is_resumed(library, tmp_path, organize, monkeypatch):
    root, run, names = library
    out, count = tmp_path / "out", []
    plain = placement.move_to_free_name

    def stopped(part, place):
        count.append(place)
        if len(count) == 5:
            raise KeyboardInterrupt
        plain(part, place)

    monkeypatch.setattr(placement, "move_to_free_name", stopped)
    assert organize(f"run={run}", f"to={out}", "apply=true")[0] == 130
    with (out / MANIFEST_NAME).open("ab") as file:
        file.write(b'["/cut')  # as if killed within a line
    assert organize(f"run={run}", f"to={out}", "apply=true")[0] == 0
    assert len(Manifest(out).placed) == len(names)
    assert sorted(content_of(root).values()) == sorted(v for k, v in content_of(out).items() if k != MANIFEST_NAME)


def test_a_missing_original_is_named_and_the_others_are_placed(library, tmp_path, organize):
    root, run, names = library
    (root / names[0]).unlink()
    code, out, err = organize(f"run={run}", f"to={tmp_path / 'out'}", "apply=true")
    assert code == 1
    assert f"{len(names) - 1} of {len(names)} files placed" in out
    assert "No such file" in err


@pytest.mark.parametrize(
    ("number", "mode", "text"),
    [(errno.ENOSPC, "copy", "No space left.*to resume"), (errno.EXDEV, "hardlink", "type mode=copy")],
)
def test_a_failure_of_the_disk_is_one_line(library, tmp_path, monkeypatch, number, mode, text):
    root, _, names = library

    def refused(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(
        placement.shutil if mode == "copy" else placement.os, "copy2" if mode == "copy" else "link", refused
    )
    with pytest.raises(UserError, match=text):
        place_all([(root / names[0], "x")], tmp_path / "out", mode)


def test_a_disk_without_hard_links_gets_copies(library, tmp_path, monkeypatch):
    root, _, names = library

    def refused(*_):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(placement.os, "link", refused)
    place_all([(root / name, "x") for name in names], tmp_path / "out", "copy")
    assert sorted(content_of(tmp_path / "out" / "x").values()) == sorted(content_of(root).values())


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["run={run}"], "to= is missing"),
        (["run={run}", "to={root}/below"], "is inside the library"),
        (["run={root}", "to={out}"], "found no run on a folder of pictures"),
        (["run={run}", "to={out}", "mode=move"], "expected mode=copy or symlink or hardlink"),
        (["run={run}", "to={out}", "color=red"], "expected run=, to="),
        (["undo={root}"], f"found no {MANIFEST_NAME} there"),
        (["undo={root}", "run={run}"], "leave out run="),
        (["run={run}", "to={run}/assignments.csv"], "is a file"),
    ],
)
def test_a_wrong_setting_is_one_line_and_changes_nothing(library, tmp_path, organize, arguments, text):
    root, run, _ = library
    before = content_of(tmp_path)
    code, _, err = organize(*(text.format(run=run, root=root, out=tmp_path / "out") for text in arguments))
    assert code == 1
    assert text in err
    assert len(err.strip().splitlines()) == 1
    assert content_of(tmp_path) == before


def test_a_damaged_list_is_named_and_nothing_is_removed(library, tmp_path, organize):
    _, run, _ = library
    out = tmp_path / "out"
    organize(f"run={run}", f"to={out}", "apply=true")
    lines = (out / MANIFEST_NAME).read_bytes().splitlines(keepends=True)
    (out / MANIFEST_NAME).write_bytes(lines[0] + b"{}\n" + b"".join(lines[2:]))
    before = content_of(out)
    with pytest.raises(UserError, match=r"line 2: expected a placed file"):
        undo_all(out, apply=True)
    assert content_of(out) == before


@pytest.mark.parametrize(
    "text", ["..", "", "a/b", "nul.txt", "\u202eevil", "x" * 300, "照" * 300, "can go", " dots... "]
)
def test_any_name_becomes_one_plain_folder(tmp_path, text):
    name = safe_folder_name(text)
    (tmp_path / "t" / name).mkdir(parents=True)
    assert [path.name for path in (tmp_path / "t").iterdir()] == [name]
    assert Choices().group_name(4) == "group 4"
    assert Choices().group_name(4, "menu, envelope") == "menu, envelope"
    assert Choices(group_of={4: 4}).group_name(4, "menu, envelope") == "group 4"  # a person deleted the name
    assert Choices(group_of={4: 1}, names={1: "letters"}).group_name(4, "menu") == "letters"


def test_the_printed_undo_command_can_be_typed_as_it_stands(library, tmp_path, organize):
    _, run, _ = library
    out = tmp_path / 'my $HOME\'s; "pictures" \\ \x07 é'
    printed = organize(f"run={run}", f"to={out}", "apply=true")[1].splitlines()[-1]
    command = printed.removeprefix("to undo it: ")
    read = subprocess.run(["bash", "-c", f"printf '%s\\0' {command}"], capture_output=True, check=True).stdout
    words = [os.fsdecode(word) for word in read.split(b"\0")[:-1]]
    assert words == ["deepcluster", "organize", f"undo={out}"]
    assert organize(*words[2:], "apply=true")[0] == 0
    assert not any(out.iterdir())


def test_a_quoted_command_is_plain_where_the_path_is(library, tmp_path, organize):
    _, run, _ = library
    printed = organize(f"run={run}", f"to={tmp_path / 'my out'}", "apply=true")[1]
    assert printed.endswith(f"to undo it: deepcluster organize undo='{tmp_path / 'my out'}'\n")


def test_the_parser_gives_the_settings_and_what_executes_them():
    parser = argparse.ArgumentParser(prog="deepcluster")
    add_parser(parser.add_subparsers())
    options = parser.parse_args(["organize", "run=a", "to=b c"])
    assert options.settings == ["run=a", "to=b c"]
    assert options.execute is execute


def test_help_names_every_setting(organize):
    code, out, _ = organize("--help")
    assert code == 0
    for key in ("run", "to", "undo", "mode", "by", "gallery", "apply"):
        assert re.search(rf"^  {key}=", out, re.MULTILINE), key


def test_the_parser_imports_nothing_heavy():
    code = "import sys, deepcluster_pl.organize; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "deepcluster_pl.organize.command" in loaded
    heavy = {"torch", "numpy", "sklearn", "omegaconf", "hydra", "pytorch_lightning", "matplotlib", "PIL", "rich"}
    assert heavy & set(loaded) == set()


def test_pictures_in_no_group_get_a_folder_of_their_own(library):
    _, run, _ = library
    table = run / "assignments.csv"
    table.write_bytes(table.read_bytes().replace(b"2019/a b.jpg,fit,0", b"2019/a b.jpg,fit,-1", 1))
    outside = read_pictures(run)[0]
    assert outside.cluster == -1
    assert folder_for(outside, "cluster", Choices()) == "in no group"
    named = Choices({-1: -1}, {-1: "odd ones"}, frozenset({-1}))
    assert folder_for(outside, "cluster", named) == "can go/odd ones"
