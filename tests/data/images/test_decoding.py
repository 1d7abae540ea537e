"""Every kind of file becomes the right upright RGB picture, or one line that says why not."""

from __future__ import annotations

import io
import os
import struct
import sys
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from helpers.pictures import page, scene
from PIL import Image, ImageCms

from deepcluster_pl.data.images import decoding
from deepcluster_pl.data.images.decoding import decode
from deepcluster_pl.data.images.opening import UnreadableImageError


def read(path, side=40, smallest=1, max_megapixels=150.0):
    return decode(Path(path), side, smallest, max_megapixels)


def middle(path):
    """Color in the middle, as three whole numbers."""
    rgb = read(path).rgb
    assert rgb.dtype == np.uint8
    assert rgb.ndim == 3
    return rgb[rgb.shape[0] // 2, rgb.shape[1] // 2].tolist()


def reason(path, **options):
    with pytest.raises(UnreadableImageError) as told:
        read(path, **options)
    assert "\n" not in str(told.value)
    return str(told.value)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "bmp", "tiff", "avif"])
def test_every_format_gives_the_picture(tmp_path, suffix):
    if Image.registered_extensions().get(f".{suffix}") not in Image.SAVE:
        pytest.skip(f"this Pillow writes no {suffix}")
    scene(3).save(tmp_path / f"a.{suffix}")
    rgb = read(tmp_path / f"a.{suffix}", side=80).rgb
    assert rgb.shape == (60, 80, 3)
    assert np.abs(rgb.astype(int) - np.asarray(scene(3))).mean() < 8


def test_the_content_counts_and_not_the_suffix(tmp_path):
    scene(3).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    np.testing.assert_array_equal(read(tmp_path / "a.jpg", side=80).rgb, np.asarray(scene(3)))


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (7, 3), (300, 200)])
def test_any_size_is_brought_to_the_longer_side(tmp_path, size):
    Image.new("RGB", size, (10, 200, 30)).save(tmp_path / "a.png")
    decoded = read(tmp_path / "a.png", side=64, smallest=16)
    assert max(decoded.rgb.shape[:2]) == 64
    assert min(decoded.rgb.shape[:2]) >= 16
    assert (decoded.metadata.width, decoded.metadata.height) == size
    assert decoded.rgb.reshape(-1, 3).mean(axis=0).tolist() == [10, 200, 30]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_pictures_stand_upright_as_exif_says(tmp_path, orientation, suffix):
    upright = Image.new("RGB", (80, 40), "black")
    upright.paste("white", (0, 0, 40, 20))  # light at the upper left
    T = Image.Transpose  # how the camera held it: what undoes the orientation
    undo = {2: T.FLIP_LEFT_RIGHT, 3: T.ROTATE_180, 4: T.FLIP_TOP_BOTTOM, 5: T.TRANSPOSE, 6: T.ROTATE_90,
            7: T.TRANSVERSE, 8: T.ROTATE_270}  # fmt: skip
    lying = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    lying.save(tmp_path / f"a.{suffix}", exif=exif)
    decoded = read(tmp_path / f"a.{suffix}")
    assert decoded.rgb.shape == (20, 40, 3)
    assert (decoded.metadata.width, decoded.metadata.height) == (80, 40)
    quarters = [decoded.rgb[y : y + 8, x : x + 18].mean() for y in (1, 11) for x in (1, 21)]
    assert quarters[0] > 240
    assert max(quarters[1:]) < 15


def test_sixteen_bits_are_scaled_and_not_cut_off(tmp_path):
    Image.fromarray(np.full((8, 8), 32768, dtype=np.uint16)).save(tmp_path / "a.png")
    Image.fromarray(np.full((8, 8), 32768, dtype=np.uint16)).save(tmp_path / "b.tiff")
    Image.fromarray(np.full((8, 8), 32768, dtype=np.int32)).save(tmp_path / "c.tiff")
    assert [middle(tmp_path / name) for name in ("a.png", "b.tiff", "c.tiff")] == [[128, 128, 128]] * 3


@pytest.mark.parametrize(("white", "value"), [(1.0, 0.5), (255.0, 127.5), (3e6, 1.5e6)])
def test_floats_are_scaled_by_their_range(tmp_path, white, value):
    x = np.full((9, 9), value, dtype=np.float32)
    x[0, 0], x[0, 1] = white, np.nan
    Image.fromarray(x).save(tmp_path / "a.tiff")
    assert middle(tmp_path / "a.tiff") == [128, 128, 128]


def test_transparent_pixels_are_laid_over_white(tmp_path):
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    Image.new("RGBA", (8, 8), (255, 0, 0, 128)).save(tmp_path / "half.png")
    Image.new("LA", (8, 8), (0, 0)).save(tmp_path / "gray.png")
    Image.new("P", (8, 8), 0).save(tmp_path / "palette.png", transparency=0)
    Image.new("RGB", (8, 8), (1, 2, 3)).save(tmp_path / "key.png", transparency=(1, 2, 3))
    assert middle(tmp_path / "clear.png") == [255, 255, 255]
    assert middle(tmp_path / "half.png") == [255, 127, 127]
    assert [middle(tmp_path / f"{n}.png") for n in ("gray", "palette", "key")] == [[255, 255, 255]] * 3


def test_palette_one_bit_cmyk_and_lab_give_their_colors(tmp_path):
    Image.new("RGB", (8, 8), (0, 0, 255)).quantize(4).save(tmp_path / "palette.png")
    Image.new("1", (8, 8), 1).save(tmp_path / "bit.png")
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "ink.jpg", quality=95)
    lab = ImageCms.profileToProfile(
        Image.new("RGB", (8, 8), (200, 60, 60)), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"),
        outputMode="LAB",
    )  # fmt: skip
    lab.save(tmp_path / "lab.tiff")
    assert middle(tmp_path / "palette.png") == [0, 0, 255]
    assert middle(tmp_path / "bit.png") == [255, 255, 255]
    assert np.abs(np.subtract(middle(tmp_path / "ink.jpg"), [255, 0, 0])).max() < 12
    assert np.abs(np.subtract(middle(tmp_path / "lab.tiff"), [200, 60, 60])).max() < 6


def test_of_an_animation_the_first_frame_is_read(tmp_path):
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "lime", "blue")]
    for name in ("a.gif", "a.png", "a.webp"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], lossless=True)
        assert np.abs(np.subtract(middle(tmp_path / name), [255, 0, 0])).max() < 3, name


@pytest.mark.parametrize("kept", [0.02, 0.5, 0.95])
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "bmp", "tiff"])
def test_a_truncated_file_is_refused_and_never_half_a_picture(tmp_path, suffix, kept):
    noise = np.random.default_rng(0).integers(256, size=(64, 64, 3), dtype=np.uint8)
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(noise).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    assert reason(path)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "bmp", "tiff"])
def test_flipped_bits_give_a_picture_or_a_reason_and_nothing_else(tmp_path, suffix):
    generator = np.random.default_rng(0)
    path = tmp_path / f"a.{suffix}"
    scene(1).save(path)
    content = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    reasons = []
    for _ in range(40):
        damaged = content.copy()
        places = generator.integers(len(damaged), size=4)
        damaged[places] ^= 1 << generator.integers(8, size=4).astype(np.uint8)
        path.write_bytes(damaged.tobytes())
        try:
            rgb = read(path).rgb
            assert (max(rgb.shape[:2]), rgb.shape[2]) == (40, 3)  # damage to a header may change the proportions
        except UnreadableImageError as error:
            reasons.append(str(error))
    assert all(text and "\n" not in text for text in reasons)
    assert reasons or suffix in ("bmp", "gif", "jpg")  # formats without sums show most damage in colors alone


def test_text_and_nothing_are_no_pictures(tmp_path):
    (tmp_path / "a.jpg").write_text("not a picture")
    (tmp_path / "b.jpg").touch()
    assert reason(tmp_path / "a.jpg") == "no picture of a known format, or its beginning is damaged"
    assert reason(tmp_path / "b.jpg") == "no picture of a known format, or its beginning is damaged"


def test_a_decompression_bomb_is_refused_by_its_header_at_once(tmp_path):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    path = tmp_path / "bomb.png"
    lines = zlib.compress(b"\0" * 5_000_000, 9)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", lines) + chunk(b"IEND", b""))
    assert path.stat().st_size < 20_000
    began = time.monotonic()
    assert "40000 x 40000 pixels are more than 150 million; data.max_megapixels allows more" in reason(path)
    assert time.monotonic() - began < 1


def test_the_limit_is_the_users(tmp_path):
    Image.new("L", (2000, 1000)).save(tmp_path / "a.png")
    assert read(tmp_path / "a.png", max_megapixels=2.0).rgb.shape == (20, 40, 3)
    assert "data.max_megapixels" in reason(tmp_path / "a.png", max_megapixels=1.9)


def test_heic_without_its_plug_in_says_what_to_install(tmp_path):
    head = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"
    (tmp_path / "a.heic").write_bytes(head + bytes(100))
    try:
        import pillow_heif  # noqa: F401
    except ImportError:
        assert reason(tmp_path / "a.heic") == "HEIC needs pillow-heif; type: pip install 'deepcluster_pl[photos]'"
    else:
        decoding.register_heif()
        assert reason(tmp_path / "a.heic") == "a damaged HEIC file"


@pytest.mark.skipif(sys.platform == "win32", reason="rights")
def test_a_file_that_may_not_be_read_is_told():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder, "a.png")
        scene(0).save(path)
        path.chmod(0o000)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            assert reason(path) == "Permission denied"
        finally:
            if root:
                os.seteuid(0)


def test_date_and_place_come_from_exif_and_nonsense_counts_as_none(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2019:07:28 18:03:11"
    exif.get_ifd(0x8825).update({1: "S", 2: (33.0, 51.0, 36.0), 3: "E", 4: (151.0, 12.0, 0.0)})
    scene(0).save(tmp_path / "a.jpg", exif=exif)
    metadata = read(tmp_path / "a.jpg").metadata
    assert metadata.taken == "2019-07-28T18:03:11"
    assert (metadata.latitude, metadata.longitude) == (-33.86, 151.2)
    assert metadata.n_bytes == (tmp_path / "a.jpg").stat().st_size
    broken = Image.Exif()
    broken.get_ifd(0x8769)[0x9003] = "0000:00:00 00:00:00"
    broken.get_ifd(0x8825).update({1: "N", 2: (933.0, 0.0, 0.0), 3: "E", 4: (1.0, 0.0, 0.0)})
    scene(0).save(tmp_path / "b.jpg", exif=broken)
    metadata = read(tmp_path / "b.jpg").metadata
    assert (metadata.taken, metadata.latitude, metadata.longitude) == ("", None, None)
    scene(0).save(tmp_path / "c.jpg", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff")
    assert read(tmp_path / "c.jpg").metadata.taken == ""


def test_draft_and_full_decoding_agree(tmp_path):
    scene(5, 800, 600).save(tmp_path / "a.jpg", quality=95)
    small = np.asarray(scene(5, 800, 600).resize((40, 30), Image.Resampling.BICUBIC, reducing_gap=2.0))
    assert np.abs(read(tmp_path / "a.jpg").rgb.astype(int) - small).mean() < 3


def test_the_digest_is_of_the_files_bytes(tmp_path):
    buffer = io.BytesIO()
    page(1).save(buffer, "PNG")
    for name in ("a.png", "other name.jpg"):
        (tmp_path / name).write_bytes(buffer.getvalue())
    first, second = (read(tmp_path / name) for name in ("a.png", "other name.jpg"))
    assert first.digest == second.digest
    np.testing.assert_array_equal(first.rgb, second.rgb)


def test_heic_is_read_where_its_plug_in_is_installed(tmp_path):
    pytest.importorskip("pillow_heif")
    decoding.register_heif()
    scene(3, 120, 80).save(tmp_path / "a.heic", quality=95)
    decoded = read(tmp_path / "a.heic", side=120)
    assert (decoded.metadata.width, decoded.metadata.height) == (120, 80)
    assert np.abs(decoded.rgb.astype(int) - np.asarray(scene(3, 120, 80))).mean() < 8
    assert "data.max_megapixels" in reason(tmp_path / "a.heic", max_megapixels=0.001)


@pytest.mark.parametrize("how", ["written", "replaced"])
def test_a_picture_that_changes_while_it_is_read_is_left_out(tmp_path, monkeypatch, how):
    path, other = tmp_path / "a.png", tmp_path / "b.png"
    Image.new("RGB", (40, 30), "red").save(path)
    Image.new("RGB", (40, 30), "blue").save(other)
    original = decoding._read

    def changed(*arguments):
        if how == "written":
            path.write_bytes(other.read_bytes() + b" ")
        else:
            other.replace(path)
        return original(*arguments)

    monkeypatch.setattr(decoding, "_read", changed)
    with pytest.raises(UnreadableImageError, match="it changed while it was read; type the command again"):
        decoding.decode(path, 32, 8, 100)
    monkeypatch.undo()
    assert decoding.decode(path, 32, 8, 100).rgb[0, 0, 2] == 255
