"""A folder of pictures, and the source that reads it."""

from __future__ import annotations

import pytest
from helpers.pictures import library

from deepcluster_pl.data.images.features import Descriptors
from deepcluster_pl.data.sources.image_folder import ImageFolder


@pytest.fixture
def images(tmp_path, common):
    """Makes the source of <tmp>/photos, unless a test says otherwise."""

    def make(**changes):
        options = {
            "root": str(tmp_path / "photos"), "features": Descriptors(["palette", "layout"], 48), "copies": 0,
            "labels": "none", "strict": False, "follow_links": False, "max_megapixels": 150.0,
            "reading_processes": 0, "cache_dir": str(tmp_path / "cache"),
        }  # fmt: skip
        own = {name: changes.pop(name) for name in list(changes) if name in options}
        return ImageFolder(**(options | own), **common(**changes))

    return make


@pytest.fixture
def photos(tmp_path):
    return library(tmp_path / "photos")
