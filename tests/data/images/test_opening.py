"""Only documented formats are opened, and no header makes a reader take more memory than the limit."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from helpers.memory import memory_limit
from helpers.pictures import scene
from PIL import EpsImagePlugin, Image

from deepcluster_pl.data.images import opening
from deepcluster_pl.data.images.decoding import decode
from deepcluster_pl.data.images.features import Thumbnails
from deepcluster_pl.data.images.measure import measure_pictures
from deepcluster_pl.data.images.opening import BYTES_PER_PIXEL, FORMATS, UnreadableImageError, bytes_to_decode

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 40\n%%EndComments\nshowpage\n%%EOF\n"


def reason(path, max_megapixels=150.0):
    with pytest.raises(UnreadableImageError) as refusal:
        decode(Path(path), 40, 1, max_megapixels)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def saved(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


FOREIGN = {
    "eps": lambda: EPS,
    "eps with a preview": lambda: b"\xc5\xd0\xd3\xc6" + struct.pack("<7I", 32, len(EPS), 0, 0, 0, 0, 0)[:28] + EPS,
    "pdf": lambda: b"%PDF-1.4\n1 0 obj <</Type /Catalog>> endobj\n%%EOF\n",
    "svg": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "wmf": lambda: b"\xd7\xcd\xc6\x9a" + bytes(60),
    **{kind: lambda kind=kind: saved(scene(0), kind) for kind in ("PPM", "ICO", "TGA", "PCX", "SGI", "DDS")},
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_a_file_of_another_format_is_skipped_and_its_decoder_never_runs(tmp_path, monkeypatch, name, suffix):
    def refuse(*_):
        raise AssertionError("a decoder of another format ran")

    Image.init()
    for kind in set(Image.OPEN) - set(FORMATS):
        monkeypatch.setitem(Image.OPEN, kind, (refuse, lambda prefix: refuse()))
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", refuse)
    content = FOREIGN[name]()
    (tmp_path / f"a.{suffix}").write_bytes(content)
    assert reason(tmp_path / f"a.{suffix}") == "no picture of a known format, or its beginning is damaged"
    # A new sample of `deepcluster predict` takes the same way.
    samples, reasons = measure_pictures(Thumbnails(16), tmp_path, [f"a.{suffix}"])
    assert len(samples) == 0
    assert list(reasons) == [f"a.{suffix}"]


@pytest.mark.parametrize(
    ("mode", "kind", "stored"),
    [("RGB", "PNG", 4), ("L", "PNG", 1), ("P", "PNG", 9), ("RGBA", "PNG", 12), ("I;16", "PNG", 10), ("F", "TIFF", 12),
     ("CMYK", "TIFF", 4), ("RGB", "JPEG", 12), ("L", "JPEG", 3), ("RGB", "WEBP", 16), ("P", "GIF", 9)],
)  # fmt: skip
def test_bytes_are_counted_by_the_header_and_the_decoder_was_not_asked(tmp_path, monkeypatch, mode, kind, stored):
    content = saved(Image.new(mode, (50, 40)), kind)
    image = opening.open_picture(_file(tmp_path, content), 1.0)
    assert bytes_to_decode(image) == 50 * 40 * stored
    monkeypatch.setattr(opening, "BYTES_PER_PIXEL", stored * 0.9)
    with pytest.raises(UnreadableImageError, match=r"decoding takes 0 MB.*data\.max_megapixels allows more"):
        opening.open_picture(_file(tmp_path, content), 0.002)
    assert stored <= BYTES_PER_PIXEL  # no picture of a common kind is refused below the limit on its pixels


def _file(folder, content):
    (folder / "a").write_bytes(content)
    return opening.MeteredFile(folder / "a")


def tiff(tags, blob=b""):
    """Return a TIFF of one directory, whose tags are (number, type, count, value)."""
    entries = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    return b"II*\x00" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + blob


def header(width, height, bits, sample_format):
    """Return the tags of a gray picture without compression."""
    return [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, bits), (259, 3, 1, 1), (262, 3, 1, 1),
            (277, 3, 1, 1), (339, 3, 1, sample_format)]  # fmt: skip


@pytest.mark.parametrize(("bits", "sample_format"), [(16, 1), (32, 3)])
def test_gray_of_many_bits_is_refused_by_its_header_and_nothing_is_allocated(tmp_path, bits, sample_format):
    strip = [(273, 4, 1, 8), (278, 4, 1, 40_000), (279, 4, 1, 64)]
    (tmp_path / "a.tif").write_bytes(tiff(header(40_000, 40_000, bits, sample_format) + strip))
    tracemalloc.start()
    assert "40000 x 40000 pixels are more than 150 million" in reason(tmp_path / "a.tif")
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


def test_a_tile_that_is_larger_than_its_picture_is_refused(tmp_path):
    tile = [(322, 4, 1, 60_000), (323, 4, 1, 60_000), (324, 4, 1, 8), (325, 4, 1, 64)]
    tags = [(259, 3, 1, 5) if tag[0] == 259 else tag for tag in header(8, 8, 16, 1)]
    (tmp_path / "a.tif").write_bytes(tiff(tags + tile))
    assert reason(tmp_path / "a.tif").startswith("decoding takes 7,200 MB, more than 2,400 MB")


def test_metadata_that_point_at_one_place_many_times_cannot_fill_the_memory(tmp_path):
    # 2,000 tags, each of which names the same megabyte.
    n, blob = 2000, 2**20
    (tmp_path / "a.tif").write_bytes(tiff([(1000 + tag, 1, blob, 14 + 12 * n) for tag in range(n)], bytes(blob)))
    tracemalloc.start()
    assert reason(tmp_path / "a.tif")
    assert tracemalloc.get_traced_memory()[1] < 2**26
    tracemalloc.stop()


def test_a_header_is_read_to_twice_its_file_and_no_further(tmp_path):
    file = _file(tmp_path, bytes(2**20))
    for _ in range(18):  # twice the file, and 16 spare megabytes
        file.seek(0)
        assert len(file.read(2**60)) == 2**20
    file.seek(0)
    with pytest.raises(UnreadableImageError, match="its header asks for more bytes than the file has"):
        file.read(1)
    file.end_header()
    assert file.read(1) == b"\0"


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    assert reason(tmp_path / "a.png") == "a pipe, a socket or a device, no file"


def test_a_folder_is_no_picture(tmp_path):
    assert reason(tmp_path) == "Is a directory"


def test_a_model_of_others_cannot_ask_for_pictures_of_any_size(tmp_path):
    scene(0).save(tmp_path / "a.png")
    with memory_limit(8):
        samples, reasons = measure_pictures(Thumbnails(10**6), tmp_path, ["a.png"])
    assert reasons == {"a.png": "at a longer side of 1000000 it has more than 150 million pixels"}
    assert samples.size == 0


def test_a_color_profile_and_exif_of_absurd_size_are_ignored(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "x" * (5 * 2**20)
    scene(3).save(tmp_path / "a.png", exif=exif)
    scene(3).save(tmp_path / "b.webp", icc_profile=bytes(5 * 2**20), lossless=True)
    decoded = [decode(tmp_path / name, 80, 1, 150.0) for name in ("a.png", "b.webp")]
    assert [picture.rgb.shape for picture in decoded] == [(60, 80, 3)] * 2
    for picture in decoded:
        np.testing.assert_array_equal(picture.rgb, np.asarray(scene(3)))


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tiff"])
def test_only_the_first_of_many_frames_is_decoded(tmp_path, monkeypatch, suffix):
    frames = [Image.new("RGB", (30, 20), (shade, 0, 0)) for shade in range(0, 250, 25)]
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:])
    kinds = {type(opening.open_picture(opening.MeteredFile(tmp_path / f"a.{suffix}"), 1.0))}
    for kind in kinds:
        monkeypatch.setattr(kind, "seek", lambda *_: pytest.fail("another frame was asked for"))
    assert decode(tmp_path / f"a.{suffix}", 30, 1, 150.0).rgb.max() < 5
