"""RAW files: their previews are pictures where LibRaw is installed; without it, it is said what to install."""

from __future__ import annotations

import io
import os

import numpy as np
import pytest
from helpers.pictures import scene
from helpers.raw_files import dng

from deepcluster_pl.data.images import discovery, raw_previews
from deepcluster_pl.data.images.decoding import decode
from deepcluster_pl.data.images.discovery import find_images
from deepcluster_pl.data.images.opening import UnreadableImageError
from deepcluster_pl.data.images.raw_previews import raw_hint

needs_libraw = pytest.mark.skipif(not raw_previews.reads_raw(), reason="needs rawpy (extra raw)")


def jpeg(picture):
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=95)
    return stream.getvalue()


@needs_libraw
@pytest.mark.parametrize("name", ["a.DNG", os.fsdecode(b"caf\xe9.dng")])
def test_the_preview_of_a_raw_file_is_its_picture_turned_and_dated(tmp_path, name):
    picture = scene(1, 160, 120)
    (tmp_path / name).write_bytes(dng(jpeg(picture), 160, 120, orientation=6))
    found = decode(tmp_path / name, 160, 8, 100.0)
    expected = np.asarray(picture.rotate(-90, expand=True)).astype(int)
    assert np.abs(found.rgb.astype(int) - expected).mean() < 4
    assert (found.metadata.width, found.metadata.height) == (120, 160)
    assert found.metadata.taken == "2019-07-28T18:03:11"


@needs_libraw
def test_a_damaged_one_is_a_line_and_a_picture_under_that_name_is_read(tmp_path):
    whole = dng(jpeg(scene(1, 160, 120)), 160, 120)
    for content in (whole[:300], b"II*\0" + bytes(60), b"no picture at all"):
        (tmp_path / "a.dng").write_bytes(content)
        with pytest.raises(UnreadableImageError, match="RAW file without a preview that can be read"):
            decode(tmp_path / "a.dng", 64, 8, 100.0)
    (tmp_path / "a.dng").write_bytes(whole)
    with pytest.raises(UnreadableImageError, match=r"more than 0\.01 million"):
        decode(tmp_path / "a.dng", 64, 8, 0.01)
    (tmp_path / "a.dng").write_bytes(jpeg(scene(1, 160, 120)))
    assert decode(tmp_path / "a.dng", 64, 8, 100.0).rgb.shape == (48, 64, 3)


def test_raw_files_count_beside_no_picture_of_the_same_shot(tmp_path, monkeypatch):
    for name in ("IMG_1.CR2", "img_1.jpg", "IMG_2.CR2"):
        (tmp_path / name).write_bytes(b"any bytes")
    for installed, files, others in ((True, ["IMG_2.CR2", "img_1.jpg"], {}), (False, ["img_1.jpg"], {".CR2": 2})):
        monkeypatch.setattr(discovery, "reads_raw", lambda installed=installed: installed)
        monkeypatch.setattr(raw_previews, "reads_raw", lambda installed=installed: installed)
        found = find_images(tmp_path, follow_links=False)
        assert [file.name for file in found.files] == files
        assert found.others == others
        assert found.ignored == ({"IMG_1.CR2": "the same shot as 'img_1.jpg'"} if installed else {})
        assert ("pip install 'deepcluster_pl[raw]'" in raw_hint([".CR2"])) is not installed
    assert raw_hint([".mov"]) == ""
