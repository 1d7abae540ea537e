"""Thumbnails carry nothing but the picture, and copies of one picture are found among others."""

from __future__ import annotations

import io

import numpy as np
import pytest
from helpers.pictures import page, scene
from PIL import Image, ImageEnhance

from deepcluster_pl.data.images.thumbnails import SIDE, make_thumbnail, near_duplicates


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


def test_thousands_of_copies_are_one_group():
    one = small(scene(0))
    assert near_duplicates([one] * 3000) == [list(range(3000))]


def test_of_none_there_are_none():
    assert near_duplicates([]) == []
