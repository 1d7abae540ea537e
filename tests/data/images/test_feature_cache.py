"""The cache: rows come back as they went in or not at all, whatever was cut, flipped, linked, full or read-only."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest

from deepcluster_pl.data.images.discovery import FoundFile
from deepcluster_pl.data.images.exif import ImageMetadata
from deepcluster_pl.data.images.feature_cache import CacheEntry, FeatureCache, cache_folder

ODD = ["a\nb.jpg", "q\"u'o.jpg", os.fsdecode(b"caf\xe9.jpg"), "<script>.jpg", "=cmd().jpg"]


def entry(name, size=1, mtime=2, place=(0, 0)):
    return CacheEntry(
        FoundFile(name, size, mtime), f"{size:064x}", ImageMetadata(3, 4, size, "2019-07-28T18:03:11", 1.5, None), place
    )


def small(i):
    return b"jpeg" * (i + 1)


def filled(folder, names=("a.jpg", "b.jpg", "c.jpg")):
    store = FeatureCache(folder, (2, 3), np.dtype(np.float32))
    store.load_index()
    rows = [np.full((2, 3), i, dtype=np.float32) for i in range(len(names))]
    store.append(rows, [entry(name) for name in names], [small(i) for i in range(len(names))])
    return store


def reopened(folder):
    store = FeatureCache(folder, (2, 3), np.dtype(np.float32))
    return store, store.load_index()


def test_rows_metadata_and_thumbnails_come_back(tmp_path):
    filled(tmp_path, ODD)
    store, place = reopened(tmp_path)
    assert place == {FoundFile(name, 1, 2): i for i, name in enumerate(ODD)}
    assert [kept[:3] for kept in store.entries.values()] == [entry(name)[:3] for name in ODD]
    assert [store.thumbnail(kept) for kept in store.entries.values()] == [small(i) for i in range(len(ODD))]
    np.testing.assert_array_equal(store.rows()[:, 0, 0], range(len(ODD)))
    assert isinstance(store.rows(), np.memmap)


def test_a_changed_file_is_another_file(tmp_path):
    filled(tmp_path)
    _, place = reopened(tmp_path)
    assert FoundFile("a.jpg", 1, 2) in place
    assert FoundFile("a.jpg", 9, 2) not in place
    assert FoundFile("a.jpg", 1, 3) not in place


def test_cut_anywhere_the_store_keeps_what_was_whole_and_goes_on(tmp_path):
    filled(tmp_path / "whole")
    names = ("index.jsonl", "rows.bin", "thumbnails.bin")
    index, rows, thumbnails = ((tmp_path / "whole" / name).read_bytes() for name in names)
    lines = np.cumsum([len(line) for line in index.splitlines(keepends=True)])
    places, row = np.cumsum([len(small(i)) for i in range(3)]), len(rows) // 3
    for k, (lines_left, rows_left, thumbnails_left) in enumerate(
        [
            (len(index) - 1, len(rows), len(thumbnails)),
            (int(lines[1]) + 5, len(rows), len(thumbnails)),
            (len(index), 2 * row + 7, len(thumbnails)),
            (len(index), len(rows), len(thumbnails) - 1),
            (len(index), len(rows), 0),
            (0, row, len(thumbnails)),
            (int(lines[0]), 0, 2),
        ]
    ):
        folder = tmp_path / str(k)
        folder.mkdir()
        (folder / "index.jsonl").write_bytes(index[:lines_left])
        (folder / "rows.bin").write_bytes(rows[:rows_left])
        (folder / "thumbnails.bin").write_bytes(thumbnails[:thumbnails_left])
        store, place = reopened(folder)
        n = len(place)
        assert n == min((lines <= lines_left).sum(), rows_left // row, (places <= thumbnails_left).sum())
        store.append([np.full((2, 3), 7, dtype=np.float32)], [entry("new.jpg")], [b"last"])
        again, place = reopened(folder)
        assert len(place) == n + 1
        np.testing.assert_array_equal(again.rows()[list(place.values()), 0, 0], [*range(n), 7])
        assert [again.thumbnail(kept) for kept in again.entries.values()] == [*map(small, range(n)), b"last"]


def test_a_damaged_line_costs_its_own_row_alone(tmp_path):
    filled(tmp_path)
    lines = (tmp_path / "index.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "index.jsonl").write_bytes(lines[0] + b'["x", 1]\n' + lines[2])
    assert reopened(tmp_path)[1] == {FoundFile("a.jpg", 1, 2): 0, FoundFile("c.jpg", 1, 2): 2}


def test_another_recipe_or_root_has_another_folder(tmp_path):
    folders = {
        cache_folder(tmp_path, root, recipe)
        for root in (tmp_path / "a", tmp_path / "b")
        for recipe in ({"size": 1}, {"size": 2})
    }
    assert len(folders) == 4
    assert cache_folder(tmp_path, tmp_path / "a", {"size": 1}) in folders


def intact_or_gone(folder, n):
    """Check that every file that is found has its own row, thumbnail and metadata; return the files that are found."""
    store, place = reopened(folder)
    names = {f"{chr(ord('a') + i)}.jpg": i for i in range(n)}
    for file, row in place.items():
        i = names[file.name]
        assert (store.rows()[row] == i).all()
        assert store.thumbnail(store.entries[row]) == small(i)
        assert store.entries[row][:3] == entry(file.name)[:3]
    return place


@pytest.mark.parametrize("name", ["index.jsonl", "rows.bin", "thumbnails.bin"])
def test_a_flipped_byte_costs_its_own_row_alone_and_never_gives_a_wrong_one(tmp_path, name):
    n = 12
    filled(tmp_path, [f"{chr(ord('a') + i)}.jpg" for i in range(n)])
    content = (tmp_path / name).read_bytes()
    for position in range(0, len(content), 97 if name == "index.jsonl" else 7):
        for flip in (0x01, 0x40, 0xFF):
            damaged = bytearray(content)
            damaged[position] ^= flip
            (tmp_path / name).write_bytes(damaged)
            assert len(intact_or_gone(tmp_path, n)) >= n - 2  # a line end may join two lines


def test_what_was_damaged_is_stored_again(tmp_path):
    filled(tmp_path)
    with (tmp_path / "rows.bin").open("r+b") as file:
        file.seek(24 + 3)
        file.write(b"\x7f")  # the exponent of a number in the second row
    store, place = reopened(tmp_path)
    assert FoundFile("b.jpg", 1, 2) not in place
    store.append([np.full((2, 3), 1, dtype=np.float32)], [entry("b.jpg")], [small(1)])
    assert set(intact_or_gone(tmp_path, 3)) == {FoundFile(name, 1, 2) for name in ("a.jpg", "b.jpg", "c.jpg")}


@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to])
def test_a_link_is_not_written_through(tmp_path, link):
    for name in ("index.jsonl", "rows.bin", "thumbnails.bin", "lock"):
        folder, target = tmp_path / name, tmp_path / f"mine of {name}"
        folder.mkdir()
        target.write_text("mine")
        link(folder / name, target)
        store = FeatureCache(folder, (2, 3), np.dtype(np.float32))
        with store.lock():
            store.load_index()
            store.append([np.full((2, 3), 5, dtype=np.float32)], [entry("a.jpg")], [b"small"])
        assert target.read_text() == "mine"
        assert "is a link" in store.problem
        assert (store.rows() == 5).all()
        assert store.thumbnail(store.entries[0]) == b"small"


def test_a_cache_that_cannot_be_written_is_a_problem_and_rows_stay_in_memory(tmp_path):
    (tmp_path / "file").write_text("no folder")
    store = FeatureCache(tmp_path / "file" / "store", (2, 3), np.dtype(np.float32))
    with store.lock():
        assert store.load_index() == {}
        store.append([np.ones((2, 3), dtype=np.float32)], [entry("a.jpg")], [b"small"])
    assert "Type cache_dir=<a folder with room>" in store.problem
    assert store.rows().shape == (1, 2, 3)


def test_on_a_full_disk_new_rows_stay_in_memory_beside_the_stored_ones(tmp_path):
    resource = pytest.importorskip("resource")
    store = filled(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        for i in range(3, 9):
            store.append([np.full((2, 3), i, dtype=np.float32)], [entry(f"{i}.jpg")], [small(i)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert "cannot be written: File too large" in store.problem
    np.testing.assert_array_equal(store.rows()[:, 0, 0], range(9))
    assert [store.thumbnail(kept) for kept in store.entries.values()] == [small(i) for i in range(9)]
    assert set(intact_or_gone(tmp_path, 3)) == {FoundFile(name, 1, 2) for name in ("a.jpg", "b.jpg", "c.jpg")}


def test_two_users_at_once_lose_nothing_and_disturb_no_mapped_row(tmp_path):
    filled(tmp_path, [])
    errors = []

    def use(user):
        try:
            for i in range(8):
                store = FeatureCache(tmp_path, (2, 3), np.dtype(np.float32))
                with store.lock():
                    store.load_index()
                    value = 100 * user + i
                    store.append([np.full((2, 3), value, dtype=np.float32)], [entry(f"{value}.jpg")], [small(value)])
                mapped = store.rows()
                for row, kept in store.entries.items():
                    assert kept.file.name == f"{int(mapped[row, 0, 0])}.jpg"
        except BaseException as error:
            errors.append(error)

    users = [threading.Thread(target=use, args=(user,)) for user in range(2)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert errors == []
    store, place = reopened(tmp_path)
    assert {file.name for file in place} == {f"{100 * user + i}.jpg" for user in range(2) for i in range(8)}
    assert len(store.rows()) == 16


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("written", [1, 2, 3])
def test_a_process_killed_in_a_write_leaves_whole_rows_only(tmp_path, written):
    """It is killed behind rows, thumbnails or lines that are on the disk already."""
    store = FeatureCache(tmp_path, (2, 3), np.dtype(np.float32))
    store.load_index()
    store.append([np.full((2, 3), 1, dtype=np.float32)], [entry("a.jpg")], [b"one"])
    child = os.fork()
    if child == 0:
        synced, plain = [], os.fsync

        def last(descriptor):
            synced.append(descriptor)
            plain(descriptor)
            if len(synced) == written:
                os.kill(os.getpid(), signal.SIGKILL)

        os.fsync = last
        store.append([np.full((2, 3), 2, dtype=np.float32)], [entry("b.jpg")], [b"two"])
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    again = FeatureCache(tmp_path, (2, 3), np.dtype(np.float32))
    again.load_index()
    again.append([np.full((2, 3), 3, dtype=np.float32)], [entry("c.jpg")], [b"three"])
    found = {each.file.name: (again.rows()[row, 0, 0], again.thumbnail(each)) for row, each in again.entries.items()}
    expected = {"a.jpg": (1.0, b"one"), "b.jpg": (2.0, b"two"), "c.jpg": (3.0, b"three")}
    assert found == {name: expected[name] for name in expected if name != "b.jpg" or written == 3}
