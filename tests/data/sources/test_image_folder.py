"""A folder of pictures: sorted by content, read once, with a reason for each file that cannot be read."""

from __future__ import annotations

import csv
import itertools
import os
import re
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from helpers.pictures import page, scene
from helpers.reading import everything, read_now

from deepcluster_pl.data.images import cached_reading as module
from deepcluster_pl.data.images import measure_pictures
from deepcluster_pl.data.images.features import Descriptors, Thumbnails
from deepcluster_pl.errors import UserError


def test_ids_are_paths_below_the_root_and_each_has_its_own_sample(images, photos, tmp_path):
    ids, x = everything(images())
    assert sorted(ids) == sorted(photos)
    for name, row in zip(ids, x, strict=True):
        alone, skipped = measure_pictures(Descriptors(["palette", "layout"], 48), tmp_path / "photos", [name])
        np.testing.assert_array_equal(alone[0], row)
        assert skipped == {}


def test_names_folders_and_dates_do_not_change_the_order_of_the_samples(images, photos, tmp_path):
    ids, x = everything(images())
    other = tmp_path / "other"
    for i, name in enumerate(np.random.default_rng(1).permutation(photos)):
        target = other / f"{i % 3}" / f"{97 - i:03d}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(tmp_path / "photos" / name, target)
        os.utime(target, (i * 1000, i * 1000))
    moved, y = everything(images(root=str(other)))
    np.testing.assert_array_equal(x, y)
    for name, new in zip(ids, moved, strict=True):
        assert (tmp_path / "photos" / name).read_bytes() == (other / new).read_bytes()


def test_a_second_run_reads_only_what_is_new_or_changed(images, photos, tmp_path, monkeypatch):
    assert read_now(images(), monkeypatch) == sorted(photos)
    assert read_now(images(), monkeypatch) == []
    scene(50).save(tmp_path / "photos" / "new.png")
    page(51).save(tmp_path / "photos" / photos[0])
    os.utime(tmp_path / "photos" / photos[0], (1, 1))
    (tmp_path / "photos" / photos[1]).unlink()
    source = images()
    assert read_now(source, monkeypatch) == sorted(["new.png", photos[0]])
    ids, x = everything(source)
    assert sorted(ids) == sorted({"new.png", *photos} - {photos[1]})
    fresh_ids, fresh = everything(images(cache_dir=str(tmp_path / "fresh")))
    assert ids == fresh_ids
    np.testing.assert_array_equal(x, fresh)


def test_what_was_read_before_ctrl_c_is_not_read_again(images, photos, monkeypatch):
    original = module.extract_all

    def cut(job, names, processes):
        for i, pair in enumerate(original(job, names, processes)):
            if i == 5:
                raise KeyboardInterrupt
            yield pair

    with monkeypatch.context() as patch:
        patch.setattr(module, "extract_all", cut)
        with pytest.raises(KeyboardInterrupt):
            images().setup()
    assert len(read_now(images(), monkeypatch)) == len(photos) - 5


@pytest.fixture
def slow_clock(monkeypatch):
    """Lets a second pass with every look at the clock."""
    seconds = itertools.count()
    monkeypatch.setattr(time, "monotonic", lambda: float(next(seconds)))


def test_reading_that_takes_long_is_reported_to_who_asked_and_printed_nowhere(images, photos, slow_clock, capfd):
    source, lines = images(), []
    source.report = lines.append
    source.setup()
    assert re.fullmatch(r"pictures: \d+ of 12 read, \d+/s", lines[0])
    assert capfd.readouterr() == ("", "")


def test_reading_is_silent_unless_somebody_asks(images, photos, slow_clock, capfd):
    source = images()
    source.setup()
    assert len(source.part("fit")) == 12
    assert capfd.readouterr() == ("", "")


TWO_RANKS = """
import sys, torch.distributed as dist
from deepcluster_pl.data.images import Thumbnails, cached_reading
from deepcluster_pl.data.sources import ImageFolder, image_folder
from deepcluster_pl.data.split import Subset

rank, folder, root = int(sys.argv[1]), sys.argv[2], sys.argv[3]
dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
original = cached_reading.extract_all
def watched(job, names, processes):
    print(len(names))
    return original(job, names, processes)
cached_reading.extract_all = watched
image_folder.ReadingProgress.step = lambda self, measured: self._report("a line")
source = ImageFolder(root, Thumbnails(16), 0, "none", False, False, 150.0, 0, folder, name="x", num_workers=0,
                     subset=Subset(None, False, 0), holdout=0.0, split="random", seed=0, scale="none", residency="auto")
source.report = print
source.setup()
print(source.fingerprint())
"""


@pytest.mark.slow
def test_of_two_processes_of_a_run_rank_0_reads_and_reports_and_the_other_finds_the_rows(photos, tmp_path):
    commands = [
        [sys.executable, "-c", TWO_RANKS, str(rank), str(tmp_path), str(tmp_path / "photos")] for rank in (0, 1)
    ]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    first, second = (run.communicate(timeout=120)[0].splitlines() for run in runs)
    assert first == ["12", *["a line"] * 12, first[-1]]
    assert second == ["0", first[-1]]


def test_samples_stay_on_disk_and_batches_hold_them(images, photos):
    source = images(residency="disk")
    source.setup()
    assert source.part("fit").is_mapped
    source.move_to(torch.device("cpu"))
    x = torch.cat([x for x, _ in source.loader("fit")])
    np.testing.assert_array_equal(x.numpy(), everything(images())[1])


def test_copies_are_those_of_the_same_picture(images, photos):
    features = Descriptors(["palette"], 48)
    source = images(features=features, copies=2)
    source.setup()
    part = source.part("fit")
    assert part.n_copies == 2
    rows, which = torch.tensor([3, 0, 3, 5]), torch.tensor([0, 1, 2, 1])
    found = source.distorted("fit", rows, which).numpy()
    table = part._table
    for row, copy, numbers in zip(rows.tolist(), which.tolist(), found, strict=True):
        whole = table.x if copy == 0 else table.copies[:, copy - 1]
        np.testing.assert_array_equal(numbers, whole[table.order[row]])
    assert np.abs(found[0] - found[2]).max() > 0
    np.testing.assert_array_equal(found[0], part.take(np.array([3]))[0])


def test_labels_are_folders_and_only_when_asked(images, photos):
    source = images(labels="folder")
    ids, _ = everything(source)
    assert source.part("fit").labels.tolist() == [name.partition("/")[0] for name in ids]
    plain = images()
    plain.setup()
    assert plain.part("fit").labels is None


def test_broken_files_are_listed_with_their_reasons_and_the_run_goes_on(images, photos, tmp_path):
    root = tmp_path / "photos"
    content = (root / photos[0]).read_bytes()
    (root / "half.png").write_bytes(content[: len(content) // 2])
    (root / "text.jpg").write_text("no picture")
    (root / "zero.gif").touch()
    (root / "gone.jpg").symlink_to(root / "nowhere")
    os.mkfifo(root / "pipe.png")
    (root / "right.jpg").write_bytes((root / photos[1]).read_bytes() + b" ")  # a PNG by its content
    source = images()
    ids, _ = everything(source)
    assert sorted(ids) == sorted([*photos, "right.jpg"])
    source.save_records(tmp_path)
    with (tmp_path / "skipped.csv").open(newline="", encoding="utf-8") as file:
        told = {row["path"]: row["reason"] for row in csv.DictReader(file)}
    assert set(told) == {"half.png", "text.jpg", "zero.gif", "gone.jpg", "pipe.png"}
    assert all(told.values())
    assert "5 skipped" in source.describe()
    again = images()
    again.setup()
    assert again.skipped == source.skipped


def test_strict_ends_at_a_file_that_cannot_be_read(images, photos, tmp_path):
    (tmp_path / "photos" / "link.png").symlink_to(tmp_path / "photos" / photos[0])
    (tmp_path / "photos" / "album.jpg").mkdir()
    images(strict=True).setup()  # nothing is wrong with these
    (tmp_path / "photos" / "text.jpg").write_text("no picture")
    with pytest.raises(UserError, match=r"'text.jpg': no picture of a known format.*data.strict=false"):
        images(strict=True).setup()


@pytest.mark.skipif(sys.platform == "win32", reason="bytes in names")
def test_any_name_comes_back_from_the_tables_of_a_run(images, tmp_path):
    odd = ["a b.png", "q'u\"o,te.png", "new\nline.png", "cr\rlf.png", "<script>.png", "=cmd().png", "#;.png",
           "照片.png", os.fsdecode(b"caf\xe9.png")]  # fmt: skip
    (tmp_path / "photos").mkdir()
    for i, name in enumerate(odd):
        scene(i).save(tmp_path / "photos" / name)
    (tmp_path / "photos" / os.fsdecode(b"bad\xff.png")).write_text("broken")
    source = images()
    source.setup()
    source.save_records(tmp_path)
    options = {"newline": "", "encoding": "utf-8", "errors": "surrogateescape"}
    with (tmp_path / "pictures.csv").open(**options) as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["id"] for row in rows) == sorted(odd)
    for row in rows:
        path = tmp_path / "photos" / row["id"]
        assert int(row["bytes"]) == path.stat().st_size
        assert (row["width"], row["height"], row["taken"]) == ("80", "60", "")
    with (tmp_path / "skipped.csv").open(**options) as file:
        assert [row["path"] for row in csv.DictReader(file)] == [os.fsdecode(b"bad\xff.png")]
    assert b"caf\xe9.png" in (tmp_path / "pictures.csv").read_bytes()


@pytest.mark.parametrize(
    ("prepare", "told"),
    [
        (lambda root: None, "no such folder, expected a folder"),
        (lambda root: root.write_text("x"), "a file, expected a folder"),
        (lambda root: root.mkdir(), r"found no pictures \(nothing at all\); expected files ending in avif, bmp"),
        (
            lambda root: (root.mkdir(), (root / "a.txt").touch(), (root / "b.jpg").touch()),
            r"1 other files: 1 .txt, 1 that cannot be read; 'b.jpg': empty: 0 bytes",
        ),
        (
            lambda root: (root.mkdir(), (root / "b.jpg").write_text("x")),
            r"none of 1 pictures can be read; the first, 'b.jpg': no picture",
        ),
    ],
)
def test_a_folder_without_pictures_is_told_in_a_line(images, tmp_path, prepare, told):
    prepare(tmp_path / "photos")
    with pytest.raises(UserError, match=told):
        images().setup()


def test_a_root_is_needed(images):
    with pytest.raises(UserError, match=r"type data\.root=<the folder of the pictures>"):
        images(root=None).setup()


def test_nothing_below_the_root_is_changed(images, photos, tmp_path):
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in (tmp_path / "photos").rglob("*.png")}
    images(features=Thumbnails(16), copies=1).setup()
    after = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in (tmp_path / "photos").rglob("*")
             if path.is_file()}  # fmt: skip
    assert after == before


@pytest.mark.parametrize("name", ["index.jsonl", "rows.bin", "thumbnails.bin"])
def test_a_damaged_cache_gives_the_same_samples_and_thumbnails_and_heals(images, photos, tmp_path, monkeypatch, name):
    first = images()
    ids, x = everything(first)
    thumbnails = [first.thumbnail("fit", row) for row in range(len(ids))]
    (file,) = (tmp_path / "cache").rglob(name)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x40
    file.write_bytes(content)
    again = images()
    assert 1 <= len(read_now(again, monkeypatch)) <= 2
    same_ids, same = everything(again)
    assert same_ids == ids
    np.testing.assert_array_equal(same, x)
    assert [again.thumbnail("fit", row) for row in range(len(ids))] == thumbnails
    assert read_now(images(), monkeypatch) == []


def test_a_cache_that_cannot_be_written_is_a_warning_and_the_samples_are_the_same(images, photos, tmp_path):
    ids, x = everything(images())
    (tmp_path / "file").write_text("no folder")
    source, warnings = images(cache_dir=str(tmp_path / "file" / "cache")), []
    source.warn = warnings.append
    same_ids, same = everything(source)
    assert same_ids == ids
    np.testing.assert_array_equal(same, x)
    assert len(warnings) == 1
    assert "cannot be written" in warnings[0]
    assert source.thumbnail("fit", 0)[:2] == b"\xff\xd8"
