"""A second look reads each picture once, whatever ends it, and words are read where pictures are decoded."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from helpers.pictures import library

from deepcluster_pl.data.images.discovery import find_images
from deepcluster_pl.data.images.extraction import ExtractionJob
from deepcluster_pl.data.images.features import Thumbnails
from deepcluster_pl.data.images.second_look import look_again
from deepcluster_pl.data.images.written_words import WrittenWords, to_text


class Reader:
    """In the place of the networks: reads "bright" where a picture is."""

    def __call__(self, bgr):
        bright = bgr.mean() > 190
        return SimpleNamespace(txts=("bright", "no") if bright else None, scores=(0.9, 0.2) if bright else None)


def words():
    features = WrittenWords()
    features.__dict__["_engine"] = Reader()
    features.recipe = lambda: {"features": "words"}
    return features


def look(folder, features, report=lambda line: None):
    files = find_images(folder / "photos", False, []).files
    return look_again(ExtractionJob(str(folder / "photos"), features, 0, 10.0), files, folder / "cache", 0, report)


def test_words_that_are_likely_are_returned_for_each_picture(tmp_path):
    library(tmp_path / "photos", 4)
    found = {name: to_text(row) for name, row in look(tmp_path, words()).items()}
    assert found == {"scenes/0.png": "", "pages/1.png": "bright", "scenes/2.png": "", "pages/3.png": "bright"}


def test_a_look_that_was_interrupted_continues_and_the_next_reads_nothing(tmp_path):
    library(tmp_path / "photos", 4)

    class Interrupted(Thumbnails):
        seen = 0

        def extract(self, rgb):
            Interrupted.seen += 1
            if Interrupted.seen == 3:
                raise KeyboardInterrupt
            return super().extract(rgb)

    features = Interrupted(16)
    with pytest.raises(KeyboardInterrupt):
        look(tmp_path, features)
    whole = look(tmp_path, features)
    assert len(whole) == 4
    assert Interrupted.seen == 5  # two before it, the one that was interrupted, and the two that were missing
    again = look(tmp_path, features)
    assert Interrupted.seen == 5
    assert all((again[name] == row).all() for name, row in whole.items())


def test_a_file_that_is_no_picture_any_more_is_missing(tmp_path):
    library(tmp_path / "photos", 2)
    (tmp_path / "photos" / "pages" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert list(look(tmp_path, words())) == ["scenes/0.png"]
    assert np.array(look(tmp_path, words())["scenes/0.png"]).shape == (2048,)
