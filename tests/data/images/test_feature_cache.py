"""The cache: rows come back as they went in, and a process killed anywhere leaves nothing that counts."""

from __future__ import annotations

import os

import numpy as np
import pytest

from deepcluster_pl.data.images.discovery import FoundFile
from deepcluster_pl.data.images.exif import ImageMetadata
from deepcluster_pl.data.images.feature_cache import CacheEntry, FeatureCache, cache_folder
from deepcluster_pl.errors import UserError

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
    assert [kept._replace(thumbnail_span=(0, 0)) for kept in store.entries] == [entry(name) for name in ODD]
    assert [store.thumbnail(kept) for kept in store.entries] == [small(i) for i in range(len(ODD))]
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
        assert place[FoundFile("new.jpg", 1, 2)] == n
        np.testing.assert_array_equal(again.rows()[:, 0, 0], [*range(n), 7])
        assert [again.thumbnail(kept) for kept in again.entries] == [*map(small, range(n)), b"last"]


def test_a_damaged_line_ends_what_counts(tmp_path):
    filled(tmp_path)
    lines = (tmp_path / "index.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "index.jsonl").write_bytes(lines[0] + b'["x", 1]\n' + lines[2])
    assert list(reopened(tmp_path)[1]) == [FoundFile("a.jpg", 1, 2)]


def test_another_recipe_or_root_has_another_folder(tmp_path):
    folders = {
        cache_folder(tmp_path, root, recipe)
        for root in (tmp_path / "a", tmp_path / "b")
        for recipe in ({"size": 1}, {"size": 2})
    }
    assert len(folders) == 4
    assert cache_folder(tmp_path, tmp_path / "a", {"size": 1}) in folders


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UserError, match="type cache_dir="):
        FeatureCache(tmp_path / "file" / "store", (1,), np.dtype(np.float32))


def test_a_full_disk_is_one_line_and_stored_rows_stay(tmp_path):
    resource = pytest.importorskip("resource")
    store = filled(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    import signal

    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(UserError, match="cannot be written: File too large; type cache_dir="):
            store.append([np.ones((2, 3), dtype=np.float32)] * 9, [entry(f"{i}.jpg") for i in range(9)], [b""] * 9)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    again, place = reopened(tmp_path)
    assert len(place) == 3
    np.testing.assert_array_equal(again.rows()[:, 0, 0], range(3))
