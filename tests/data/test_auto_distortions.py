"""Amounts that are found on a run's own images: by no label, beside typed ones, and stored to be read again."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.datasets import load_digits

from deepcluster_pl.data.auto_distortions import AutoAffine
from deepcluster_pl.data.samples import Table
from deepcluster_pl.data.sources.tabular import ArrayData
from deepcluster_pl.data.tolerated_distortions import Tolerated
from deepcluster_pl.errors import UserError

TYPED = {"shift": 0.3, "shear": 0.0, "zoom": 0.0}


def auto(rotation="auto", flip="auto"):
    return AutoAffine(**TYPED, rotation=rotation, flip=flip, fill="nearest", seed=7)


@pytest.fixture
def source(common):
    def make(x, labels=None):
        data = ArrayData("unread.npy", None, None, None, **common(scale="none", holdout=0.0))
        data.take_over(Table(x, np.arange(len(x)).astype(str), labels))
        data.setup()
        return data

    return make


@pytest.fixture(scope="module")
def digits():
    loaded = load_digits()
    return loaded.images[:500].astype(np.float32), loaded.target[:500]


def test_digits_are_turned_a_little_and_not_mirrored_whatever_their_labels_say(source, digits):
    x, labels = digits
    found = auto().find(source(x, labels))
    assert 5 <= found.rotation <= 20
    assert not found.flip
    assert (found.shift, found.shear, found.zoom) == (0.3, 0.0, 0.0)  # typed, and not looked for
    assert all(name.startswith(("rotation", "flip")) for name in found.shares)
    assert auto().find(source(x, np.zeros(len(x), dtype=np.int64))) == found


def test_images_that_are_their_own_mirror_images_may_be_mirrored(source, digits):
    x = np.maximum(digits[0], digits[0][:, :, ::-1])
    found = auto(rotation=0.0).find(source(x))
    assert found.flip
    assert "and mirror images (" in found.describe()


@pytest.mark.parametrize(
    ("x", "reason"),
    [
        (np.arange(1800, dtype=np.float32).reshape(300, 6), "samples of 6 are no images"),
        (np.arange(12736, dtype=np.float32).reshape(199, 8, 8), "199 different images are fewer than 200"),
        (np.ones((300, 8, 8), dtype=np.float32), "1 different images are fewer than 200"),
    ],
)
def test_samples_that_say_nothing_are_distorted_as_typed_and_no_further(source, x, reason):
    found = auto().find(source(x))
    assert found.amounts == {**TYPED, "rotation": 0.0, "flip": False}
    assert reason in found.describe()


def test_what_was_found_is_stored_and_a_file_that_was_changed_badly_is_refused_in_a_line(tmp_path):
    file, found = tmp_path / "distortions.json", Tolerated(0.04, 10.0, 6.0, 0.12, True, {"flip": 0.8})
    found.save(file)
    assert Tolerated.load(file) == found
    for change in ({"shift": 7}, {"flip": "yes, often"}, {"shares": [1]}):
        file.write_text(json.dumps(json.loads(file.read_text()) | change))
        with pytest.raises(UserError, match=r"cannot be read: .*delete it to look for them again"):
            Tolerated.load(file)
        found.save(file)
