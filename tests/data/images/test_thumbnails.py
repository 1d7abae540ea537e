"""Thumbnails carry nothing but the picture, and those of a foreign cache are checked."""

from __future__ import annotations

import io

import numpy as np
import pytest
from helpers.pictures import scene
from PIL import Image, UnidentifiedImageError

from deepcluster_pl.data.images.thumbnails import SIDE, make_thumbnail, outlines
from deepcluster_pl.errors import UserError


def test_a_thumbnail_is_a_small_jpeg():
    with Image.open(io.BytesIO(make_thumbnail(np.asarray(scene(0, 400, 300))))) as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (SIDE, SIDE * 3 // 4), "RGB")
        assert not image.getexif()


def test_a_thumbnail_of_a_foreign_cache_is_refused_where_it_is_none():
    file = io.BytesIO()
    Image.new("RGB", (3000, 2000)).save(file, "JPEG")
    with pytest.raises(UserError, match="a thumbnail of the cache has 3000 x 2000 pixels; delete cache_dir"):
        outlines([file.getvalue()])
    file = io.BytesIO()
    Image.new("RGB", (30, 20)).save(file, "PNG")
    with pytest.raises(UnidentifiedImageError):
        outlines([file.getvalue()])
