"""Thumbnails carry nothing but the picture, and copies of one picture are found among others."""

from __future__ import annotations

import io

import numpy as np
import pytest
from helpers.pictures import page, scene
from PIL import Image, ImageEnhance, UnidentifiedImageError

from deepcluster_pl.data.images import thumbnails
from deepcluster_pl.data.images.thumbnails import _CROPS, SIDE, make_thumbnail, near_duplicates
from deepcluster_pl.errors import UserError


def small(image, *, scale=1.0, quality=None, light=1.0):
    """Thumbnail of a picture that was made smaller, saved again, or brightened."""
    image = image.resize((round(image.width * scale), round(image.height * scale)))
    image = ImageEnhance.Brightness(image).enhance(light)
    if quality is not None:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        image = Image.open(file)
    return make_thumbnail(np.asarray(image.convert("RGB")))


def test_a_thumbnail_is_a_small_jpeg():
    with Image.open(io.BytesIO(small(scene(0, 400, 300)))) as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (SIDE, SIDE * 3 // 4), "RGB")
        assert not image.getexif()


def test_copies_are_alike_and_different_pictures_are_not():
    pictures = [scene(seed, 200, 150) for seed in range(30)] + [page(seed, 150, 200) for seed in range(30)]
    originals = [small(picture) for picture in pictures]
    copies = [small(pictures[3], scale=0.5), small(pictures[40], quality=40), small(pictures[3], light=1.03)]
    assert near_duplicates(originals) == []
    assert near_duplicates([*originals, *copies]) == [[3, 60, 62], [40, 61]]


@pytest.mark.parametrize(
    "box", [(0.05, 0.05, 0.95, 0.95), (0.08, 0.08, 0.92, 0.92), (0.06, 0, 1, 1), (0, 0.1, 1, 1), (0, 0, 1, 0.9)]
)
def test_a_copy_whose_edges_were_cut_is_alike(box):
    pictures = [scene(seed, 200, 150) for seed in range(10)]
    cut = [picture.crop((box[0] * 200, box[1] * 150, box[2] * 200, box[3] * 150)) for picture in pictures]
    found = near_duplicates([small(picture) for picture in [*pictures, *cut]])
    assert len(found) >= 9
    assert all(group == [group[0], group[0] + 10] for group in found)


def naive_groups(pictures):
    """Near-duplicates by their definition: each picture against each crop of each other, pixel by pixel."""

    def look(image, box):
        box = tuple(share * side for share, side in zip(box, image.size * 2, strict=True))
        gray = np.asarray(image.convert("L").resize((9, 8), Image.Resampling.BOX, box)).astype(int)
        return np.diff(gray, axis=1) > 0, np.asarray(image.resize((16, 16), Image.Resampling.BOX, box)).astype(float)

    images = [Image.open(io.BytesIO(picture)).convert("RGB") for picture in pictures]
    looks = [[look(image, crop) for crop in _CROPS] for image in images]
    group = list(range(len(images)))
    for i, ((bits, square), *_) in enumerate(looks):
        for j, crops in enumerate(looks):
            for other_bits, other in crops:
                alike = (bits != other_bits).sum() <= 6 and np.abs(square - other).mean() < 8
                if square.std() * other.std() == 0:
                    alike = alike and (square == other).all()
                elif alike:
                    alike = np.corrcoef(square.ravel(), other.ravel())[0, 1] > 0.98
                if alike:
                    group = [group[i] if number == group[j] else number for number in group]
    groups = [[row for row, number in enumerate(group) if number == k] for k in sorted(set(group))]
    return sorted(members for members in groups if len(members) > 1)


@pytest.mark.parametrize("rows_at_once", [1, 7, 512])
def test_groups_agree_with_a_loop_over_all_pairs_and_crops(monkeypatch, rows_at_once):
    monkeypatch.setattr(thumbnails, "_ROWS_AT_ONCE", rows_at_once)
    generator = np.random.default_rng(0)
    scenes = [scene(seed, 120, 90) for seed in range(4)]
    noisy = [
        Image.fromarray((np.asarray(scenes[0]) * 0.8 + generator.integers(0, level, (90, 120, 3))).astype(np.uint8))
        for level in (10, 20, 40, 60)
    ]
    plain = [Image.new("RGB", (60, 60), color) for color in ("white", "white", (250, 250, 250), "black")]
    cut = [picture.crop((6, 4, 115, 86)) for picture in scenes[:2]] + [scenes[2].crop((0, 9, 120, 90))]
    pictures = [small(picture) for picture in (*scenes, *plain, *noisy, page(1), page(2), *cut, page(1))]
    found = near_duplicates(pictures)
    assert sorted(found) == naive_groups(pictures)
    assert len(found) >= 4


def test_thousands_of_copies_are_one_group():
    one = small(scene(0))
    assert near_duplicates([one] * 3000) == [list(range(3000))]


def test_of_none_there_are_none():
    assert near_duplicates([]) == []


def test_a_thumbnail_of_a_foreign_cache_is_refused_where_it_is_none():
    file = io.BytesIO()
    Image.new("RGB", (3000, 2000)).save(file, "JPEG")
    with pytest.raises(UserError, match="a thumbnail of the cache has 3000 x 2000 pixels; delete cache_dir"):
        near_duplicates([file.getvalue()])
    file = io.BytesIO()
    Image.new("RGB", (30, 20)).save(file, "PNG")
    with pytest.raises(UnidentifiedImageError):
        near_duplicates([file.getvalue()])
