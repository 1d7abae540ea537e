"""Files read in other processes: each has its result or its reason, and a bad one costs no other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np
import pytest
from helpers.pictures import library, scene

from deepcluster_pl.data.images import extraction
from deepcluster_pl.data.images.decoding import decode
from deepcluster_pl.data.images.descriptors import BLOCKS
from deepcluster_pl.data.images.descriptors.planes import stretch_to_square
from deepcluster_pl.data.images.extraction import ExtractedImage, ExtractionJob, ReadingProgress, extract_all
from deepcluster_pl.data.images.features import Descriptors, Features, Thumbnails
from deepcluster_pl.data.images.random_views import random_view, view_generator


@dataclass
class Deadly(Features):
    """Kills the process, or hangs, at pictures that are red."""

    hangs: bool
    side: int = 16
    shape: tuple[int, ...] = (1,)
    dtype: np.dtype = np.dtype(np.float32)  # noqa: RUF009

    def extract(self, rgb):
        if rgb[0, 0].tolist() == [255, 0, 0]:
            if self.hangs:
                time.sleep(600)
            os.kill(os.getpid(), signal.SIGKILL)
        return np.float32([rgb.mean()])

    def recipe(self):
        return {}


def test_processes_and_none_make_the_same_in_the_order_of_the_names(tmp_path):
    names = library(tmp_path, 20)
    job = ExtractionJob(str(tmp_path), Thumbnails(16), 1, 150.0)
    alone, shared = (list(extract_all(job, names, processes)) for processes in (0, 2))
    assert [name for name, _ in shared] == names
    for (_, one), (_, other) in zip(alone, shared, strict=True):
        np.testing.assert_array_equal(one.extracted, other.extracted)
        assert one[1:] == other[1:]


def test_extracted_are_the_picture_and_then_its_copies(tmp_path):
    names = library(tmp_path, 2)
    features = Descriptors(["palette", "layout"], 48)
    (_, measured), _ = extract_all(ExtractionJob(str(tmp_path), features, 3, 150.0), names, 0)
    rgb, digest, _ = decode(tmp_path / names[0], 48, 16, 150.0)
    np.testing.assert_array_equal(measured.extracted[0], features.extract(rgb))
    for copy in range(3):
        picture = random_view(rgb, 16, view_generator(digest, copy))
        np.testing.assert_array_equal(measured.extracted[1 + copy], features.extract(picture))
    assert measured.extracted.shape == (4, BLOCKS["palette"][1] + BLOCKS["layout"][1])
    assert len({row.tobytes() for row in measured.extracted}) == 4


@pytest.mark.parametrize("hangs", [False, True])
def test_a_decoder_that_crashes_or_hangs_costs_its_own_file_alone(tmp_path, monkeypatch, hangs):
    if hangs:
        monkeypatch.setattr(extraction, "PATIENCE_S", 4.0)
    names = library(tmp_path, 20)
    from PIL import Image

    Image.new("RGB", (20, 20), (255, 0, 0)).save(tmp_path / names[13])
    found = dict(extract_all(ExtractionJob(str(tmp_path), Deadly(hangs), 0, 150.0), names, 2))
    assert list(found) == names
    told = "takes more than 4 seconds" if hangs else "crashes its decoder"
    assert {name: outcome for name, outcome in found.items() if isinstance(outcome, str)} == {names[13]: told}


def test_a_broken_file_is_a_reason_and_the_others_are_measured(tmp_path):
    names = library(tmp_path, 4)
    (tmp_path / names[1]).write_bytes(b"nothing")
    found = [outcome for _, outcome in extract_all(ExtractionJob(str(tmp_path), Thumbnails(16), 0, 150.0), names, 2)]
    assert [isinstance(outcome, ExtractedImage) for outcome in found] == [True, False, True, True]


def test_thumbnails_are_the_picture_stretched(tmp_path):
    scene(0, 60, 40).save(tmp_path / "a.png")
    ((_, measured),) = extract_all(ExtractionJob(str(tmp_path), Thumbnails(32), 0, 150.0), ["a.png"], 0)
    rgb = decode(tmp_path / "a.png", 32, 16, 150.0).rgb
    np.testing.assert_array_equal(measured.extracted[0], stretch_to_square(rgb, 32))


def test_the_rate_is_said_now_and_then(monkeypatch):
    said = []
    clock = iter(range(200))
    monkeypatch.setattr(extraction.time, "monotonic", lambda: next(clock))
    rate = ReadingProgress(2000, said.append)
    for _ in range(60):
        rate.step(measured=True)
    assert said[0] == "pictures: 5 of 2,000 read, 1/s"
    assert 3 <= len(said) <= 5


def test_a_script_without_a_guard_is_told_what_to_do(tmp_path):
    scene(0).save(tmp_path / "a.png")
    script = tmp_path / "script.py"
    script.write_text(
        "from deepcluster_pl.data.images.features import Thumbnails\n"
        "from deepcluster_pl.data.images.extraction import ExtractionJob, extract_all\n"
        f"print(len(list(extract_all(ExtractionJob({str(tmp_path)!r}, Thumbnails(16), 0, 150.0), ['a.png'], 1))))\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    bare = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, env=environment, check=False)
    assert bare.returncode != 0
    assert "call this below `if __name__ ==" in bare.stderr.splitlines()[-1]
    lines = script.read_text().splitlines()
    script.write_text("\n".join([*lines[:2], 'if __name__ == "__main__":', f"    {lines[2]}"]))
    guarded = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, env=environment, check=False
    )
    assert guarded.stdout == "1\n"
