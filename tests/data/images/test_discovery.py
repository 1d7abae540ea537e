"""Files that count as pictures: each once, none outside, every other with its reason."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from pathlib import Path

import pytest
from helpers.pictures import scene

from deepcluster_pl.data.images import discovery
from deepcluster_pl.data.images.discovery import find_images, printable_name

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links, pipes and bytes in names")


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(discovery, "reads_raw", lambda: False)
    folder = tmp_path / "root"
    (folder / "sub" / "deep").mkdir(parents=True)
    for name in ("b.jpg", "sub/a.PNG", "sub/deep/c.jpeg"):
        (folder / name).write_bytes(b"x")
    return folder


def names(found):
    return [file.name for file in found.files]


def test_pictures_are_found_in_all_folders_whatever_the_case_of_their_suffix(root):
    (root / "notes.txt").write_text("no picture")
    found = find_images(root, follow_links=False)
    assert names(found) == ["b.jpg", "sub/a.PNG", "sub/deep/c.jpeg"]
    assert (found.n_others, found.skipped) == (1, {})
    assert found.files[0].size == 1
    assert found.files[0].mtime_ns == (root / "b.jpg").stat().st_mtime_ns


def test_what_other_programs_write_is_passed_over_and_counted(root):
    for name in (
        "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg", ".Trash-1000/files/d.jpg", "derivatives/g.jpg", "sub/._a.PNG",
        "x.photoslibrary/resources/derivatives/e.jpg", "x.photoslibrary/originals/f.jpg", "Thumbs.db", "sub/raw.CR2",
    ):  # fmt: skip
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"\xff\xd8\xff or anything")
    found = find_images(root, follow_links=False)
    assert names(found) == [
        "b.jpg", "derivatives/g.jpg", "sub/a.PNG", "sub/deep/c.jpeg", "x.photoslibrary/originals/f.jpg",
    ]  # fmt: skip
    assert found.passed_over == {
        "folders (Synology's previews)": 1, "folders (a recycle bin)": 1, "folders (previews of Apple Photos)": 1,
        "pictures (macOS's notes)": 1,
    }  # fmt: skip
    assert found.others == {".db": 1, ".CR2": 1}
    assert len(find_images(root, follow_links=False, exclude=None).files) == 10  # Thumbs.db begins as a JPEG here


def test_names_that_a_person_excludes_are_passed_over(root):
    found = find_images(root, follow_links=False, exclude=["*.PNG", "sub/deep"])
    assert names(found) == ["b.jpg"]
    assert found.passed_over == {"pictures (data.exclude)": 1, "folders (data.exclude)": 1}


def test_pictures_whose_name_does_not_say_so_are_found_by_their_first_bytes(root):
    for name, form in (("IMG_1", "JPEG"), ("2.dat", "PNG"), ("3", "TIFF"), ("4.webp_", "WEBP")):
        scene(1).save(root / name, form)
    (root / "notes").write_text("no picture")
    scene(1).save(root / "5.nef", "TIFF")  # cameras' RAW files begin as a TIFF does
    found = find_images(root, follow_links=False)
    assert names(found) == ["2.dat", "3", "4.webp_", "IMG_1", "b.jpg", "sub/a.PNG", "sub/deep/c.jpeg"]
    assert found.others == {"without a suffix": 1, ".nef": 1}


def test_a_loop_of_links_ends_and_each_file_counts_once(root):
    (root / "sub" / "loop").symlink_to(root)
    (root / "again").symlink_to(root / "sub")
    (root / "copy.jpg").symlink_to(root / "b.jpg")
    os.link(root / "sub/a.PNG", root / "sub/hard.png")
    for follow in (False, True):
        found = find_images(root, follow)
        assert names(found) == ["b.jpg", "sub/a.PNG", "sub/deep/c.jpeg"]
        assert found.skipped == {}
        assert found.ignored == {
            "copy.jpg": "the same file as 'b.jpg'",
            "sub/hard.png": "the same file as 'sub/a.PNG'",
        }


def test_links_out_of_the_root_are_followed_only_when_asked(root, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.jpg").write_bytes(b"x")
    (tmp_path / "other.jpg").write_bytes(b"x")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "link.jpg").symlink_to(tmp_path / "other.jpg")
    found = find_images(root, follow_links=False)
    assert names(found) == ["b.jpg", "sub/a.PNG", "sub/deep/c.jpeg"]
    assert set(found.ignored) == {"out", "link.jpg"}
    assert all("data.follow_links=true" in reason for reason in found.ignored.values())
    followed = find_images(root, follow_links=True)
    assert names(followed) == ["b.jpg", "link.jpg", "out/secret.jpg", "sub/a.PNG", "sub/deep/c.jpeg"]


def test_what_is_no_file_is_named_with_its_reason(root):
    os.mkfifo(root / "pipe.jpg")
    (root / "gone.jpg").symlink_to(root / "nowhere.jpg")
    (root / "round.jpg").symlink_to(root / "round.jpg")
    (root / "album.jpg").mkdir()
    (root / "album.jpg" / "in.jpg").write_bytes(b"x")
    (root / "zero.jpg").touch()
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(root)  # the path of a socket must be short
        try:
            server.bind("socket.jpg")
        finally:
            os.chdir(here)
        found = find_images(root, follow_links=False)
    assert names(found) == ["album.jpg/in.jpg", "b.jpg", "sub/a.PNG", "sub/deep/c.jpeg"]
    assert found.skipped.pop("round.jpg").startswith("a link that leads nowhere")
    assert found.skipped == {
        "pipe.jpg": "a pipe, no file",
        "socket.jpg": "a socket, no file",
        "gone.jpg": "a link that leads nowhere: No such file or directory",
        "zero.jpg": "empty: 0 bytes",
    }
    assert found.ignored == {"album.jpg": "a folder; pictures in it are read"}


def test_a_folder_that_may_not_be_opened_is_named_and_the_others_are_read():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "closed").mkdir()
        scene(0).save(root / "open.png")
        root.chmod(0o755)
        (root / "closed").chmod(0o000)
        try:
            found = as_nobody(lambda: find_images(root, follow_links=False))
        finally:
            (root / "closed").chmod(0o755)
    assert names(found) == ["open.png"]
    assert found.skipped == {"closed": "a folder that cannot be read: Permission denied"}


def test_names_are_exact_whatever_is_in_them(root):
    odd = [
        "a b.jpg",
        "q'u\"o.jpg",
        "new\nline.jpg",
        "#1.jpg",
        "<script>.jpg",
        "=cmd().jpg",
        os.fsdecode(b"caf\xe9.jpg"),
    ]
    for name in odd:
        (root / name).write_bytes(b"x")
    assert set(odd) <= set(names(find_images(root, follow_links=False)))


@pytest.mark.parametrize("name", ["new\nline.jpg", os.fsdecode(b"caf\xe9.jpg"), "\x1b[31m.jpg", "plain.jpg"])
def test_a_shown_name_is_one_line_that_can_be_printed_and_read_back(name):
    text = printable_name(name)
    assert text.isprintable()
    assert text.encode()
    assert eval(text) == name


def as_nobody(call):
    """Return the result of a call for a person without rights; root may open everything."""
    if os.geteuid() != 0:
        return call()
    os.seteuid(65534)
    try:
        return call()
    finally:
        os.seteuid(0)
