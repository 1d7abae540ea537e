"""Sources of data that tests need: a table in memory, and a folder of pictures."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.pictures import library
from helpers.sources import InMemory

from deepcluster_pl.data.images.features import Descriptors
from deepcluster_pl.data.samples import Table
from deepcluster_pl.data.sources.image_folder import ImageFolder

LABELS = np.arange(23) % 3


@pytest.fixture
def source(common):
    """Makes a source of 23 samples of shape (2, 3) and three classes, set up."""

    def make(dtype=np.float64, labels=LABELS, **options):
        x = np.random.default_rng(0).integers(256, size=(23, 2, 3)).astype(dtype)
        data = InMemory(Table(x, [f"id{row}" for row in range(23)], labels), common(**options))
        data.setup()
        return data

    return make


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
