"""Atomic writes leave the old file or the new one, never a half, whatever happens in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from deepcluster_pl.utils.atomic_files import atomic_copy, atomic_write, remove_partial_files
from deepcluster_pl.utils.run_folder import RunFolder

FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from deepcluster_pl.utils.atomic_files import atomic_write
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
with atomic_write(Path(sys.argv[1]), "wb") as file:
    file.write(bytes(100_000))
"""

SLOW_WRITER = """
import sys, time
from pathlib import Path
from deepcluster_pl.utils.atomic_files import atomic_write
with atomic_write(Path(sys.argv[1])) as file:
    file.write("half")
    file.flush()
    print("writing", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "scores.json"
    path.write_text("old")
    return path


def test_new_content_takes_the_place_of_the_old(target):
    with atomic_write(target) as file:
        file.write("new, ü\n")
    assert target.read_bytes() == "new, ü\n".encode()
    assert os.listdir(target.parent) == ["scores.json"]


def test_bytes_are_written_as_they_are(target):
    with atomic_write(target, "wb") as file:
        file.write(b"\x00\r\n\xff")
    assert target.read_bytes() == b"\x00\r\n\xff"


def test_line_ends_are_not_translated(target):
    with atomic_write(target) as file:
        file.write("a\r\nb\n")
    assert target.read_bytes() == b"a\r\nb\n"


def test_a_reader_in_between_finds_the_old_file(target):
    with atomic_write(target) as file:
        file.write("new")
        file.flush()
        assert target.read_text() == "old"
    assert target.read_text() == "new"


def write_half(path, error):
    with atomic_write(path) as file:
        file.write("half")
        raise error("stop")


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_old_file_stays_and_nothing_is_left_over_when_writing_fails(target, error):
    with pytest.raises(error, match="stop"):
        write_half(target, error)
    assert target.read_text() == "old"
    assert os.listdir(target.parent) == ["scores.json"]


def test_no_file_appears_when_the_first_writing_fails(tmp_path):
    with pytest.raises(ValueError, match="stop"):
        write_half(tmp_path / "new.json", ValueError)
    assert os.listdir(tmp_path) == []


def test_folders_on_the_way_are_made(tmp_path):
    with atomic_write(tmp_path / "a" / "b" / "c.txt") as file:
        file.write("there")
    assert (tmp_path / "a" / "b" / "c.txt").read_text() == "there"


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_mode_follows_the_umask_and_the_umask_stays(target, umask):
    before = os.umask(umask)
    try:
        with atomic_write(target) as file:
            file.write("new")
        assert target.stat().st_mode & 0o777 == 0o666 & ~umask
    finally:
        assert os.umask(before) == umask


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_files_that_other_threads_create_meanwhile_follow_the_umask_too(tmp_path, monkeypatch):
    set_umask, done = os.umask, threading.Event()

    def set_umask_slowly(mask):  # a thread that changes the umask for a moment is caught at it
        before = set_umask(mask)
        time.sleep(0.01)
        return before

    def create_files():
        modes = set()
        while not done.is_set():
            path = tmp_path / "other"
            path.touch()
            modes.add(path.stat().st_mode & 0o777)
            path.unlink()
        return modes

    def write(i):
        with atomic_write(tmp_path / f"{i}.txt") as file:
            file.write(str(i))

    before = set_umask(0o077)
    monkeypatch.setattr(os, "umask", set_umask_slowly)
    try:
        with ThreadPoolExecutor(5) as pool:
            other = pool.submit(create_files)
            list(pool.map(write, range(50)))
            done.set()
            modes = other.result()
    finally:
        done.set()
        umask = set_umask(before)
    assert umask == 0o077
    assert modes == {0o600}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {f"{i}.txt": str(i) for i in range(50)}


def test_threads_that_write_one_file_leave_one_of_the_contents_whole(target):
    contents = [f"{i} " * 5000 for i in range(40)]

    def write(content):
        with atomic_write(target) as file:
            file.write(content)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, contents))
    assert target.read_text() in contents
    assert os.listdir(target.parent) == ["scores.json"]


def test_a_name_that_is_taken_is_left_alone(target, monkeypatch):
    tokens = iter(["aaaaaaaa", "aaaaaaaa", "bbbbbbbb"])
    monkeypatch.setattr("secrets.token_urlsafe", lambda n_bytes: next(tokens))
    with atomic_write(target) as first:
        first.write("first")
        with atomic_write(target) as second:
            second.write("second")
        assert target.read_text() == "second"
    assert target.read_text() == "first"


@pytest.mark.skipif(os.name != "posix", reason="limits are POSIX")
def test_full_disk_leaves_the_old_file_and_no_other(target):
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(target)], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "OSError" in done.stderr
    assert target.read_text() == "old"
    assert os.listdir(target.parent) == ["scores.json"]


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_killed_writer_leaves_the_old_file(target):
    with subprocess.Popen(
        [sys.executable, "-c", SLOW_WRITER, str(target)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout.readline() == "writing\n"
        writer.send_signal(signal.SIGKILL)
    assert writer.returncode == -signal.SIGKILL
    assert target.read_text() == "old"
    assert list(target.parent.glob("*.json")) == [target]
    assert len(list(target.parent.iterdir())) == 2
    remove_partial_files([target])
    assert list(target.parent.iterdir()) == [target]


def test_copy_is_whole_and_replaces(target, tmp_path):
    content = os.urandom(300_000)
    (tmp_path / "source.bin").write_bytes(content)
    atomic_copy(tmp_path / "source.bin", target)
    assert target.read_bytes() == content
    assert (tmp_path / "source.bin").read_bytes() == content


def test_copy_of_nothing_leaves_the_target(target, tmp_path):
    with pytest.raises(FileNotFoundError):
        atomic_copy(tmp_path / "gone", target)
    assert target.read_text() == "old"


def test_only_a_runs_own_unfinished_files_are_removed(tmp_path):
    own = ["checkpoints/.last.ckpt.ab12cd_3.part", "model/.model.json.ab12cd_3.part", ".scores.json.ab12cd_3.part"]
    theirs = [".film.ab12cd_3.part", "sub/.last.ckpt.ab12cd_3.part", "film.part", "checkpoints/.notes.part"]
    for name in [*own, *theirs]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    remove_partial_files(RunFolder(tmp_path).written_files)
    assert {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()} == set(theirs)
