"""Sources of data that tests need: a table in memory, and a folder of pictures."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from helpers.pictures import library
from helpers.sources import InMemory

from deepcluster_pl.data.images.features import Descriptors
from deepcluster_pl.data.samples import Table
from deepcluster_pl.data.sources.image_folder import ImageFolder
from deepcluster_pl.data.sources.tabular import ArrayData

LABELS = np.arange(23) % 3
OWN_OPTIONS = ("missing", "key", "delimiter", "decimal", "encoding", "header")


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
            "reading_processes": 0, "cache_dir": str(tmp_path / "cache"), "faces": False,
        }  # fmt: skip
        own = {name: changes.pop(name) for name in list(changes) if name in options}
        return ImageFolder(**(options | own), **common(**changes))

    return make


@pytest.fixture
def photos(tmp_path):
    return library(tmp_path / "photos")


@pytest.fixture
def array(tmp_path, common):
    """Makes a source of a file, written first where its content is given."""

    def make(name, content=None, label_column=None, id_column=None, columns=None, **options):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        own = {key: options.pop(key) for key in OWN_OPTIONS if key in options}
        return ArrayData(str(path), label_column, id_column, columns, **own, **common(**options))

    return make


@pytest.fixture
def samples(array):
    """Reads a file into samples; the lines that were reported are in `lines`, the source is in `data`."""

    def read(name, content=None, **options):
        data = array(name, content, **options)
        data.lines = []
        data.report = data.lines.append
        data.setup()
        part = data.part("fit")
        return SimpleNamespace(
            x=part.load_all().tolist(), ids=list(part.ids), labels=part.labels, names=part.feature_names,
            lines=data.lines, data=data, text="\n".join(data.lines),
        )  # fmt: skip

    return read
