"""A distorted copy shows a part of the same picture, is decided by the file's content, and can be measured."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.pictures import scene

from deepcluster_pl.data.images import random_views
from deepcluster_pl.data.images.descriptors import BLOCKS, describe
from deepcluster_pl.data.images.random_views import random_view, view_generator


def test_the_same_content_and_number_give_the_same_copy_and_another_another():
    rgb = np.asarray(scene(1))
    copies = [random_view(rgb, 16, view_generator(digest, copy)) for digest, copy in
              ((b"12345678", 0), (b"12345678", 0), (b"12345678", 1), (b"12345679", 0))]  # fmt: skip
    np.testing.assert_array_equal(copies[0], copies[1])
    assert copies[0].tobytes() not in {copies[2].tobytes(), copies[3].tobytes()}


def test_a_copy_keeps_the_longer_side_and_shows_nothing_else():
    """Each pixel's color, but for light, is of the picture: blue that rises to one side, and no red."""
    rgb = np.zeros((60, 80, 3), dtype=np.uint8)
    rgb[..., 2] = np.linspace(40, 200, 80)[None]
    for seed in range(30):
        copy = random_view(rgb, 16, np.random.default_rng(seed))
        assert max(copy.shape[:2]) == 80
        row = copy[copy.shape[0] // 2, :, 2].astype(int)
        assert (np.diff(row) >= 0).all() or (np.diff(row) <= 0).all()
        assert row.max() - row.min() > 30
        assert copy[..., 0].std() < 25


def test_parts_have_the_stated_sizes_and_places_and_half_are_mirrored(monkeypatch):
    """A pixel's color is its place, and the light stays, so each copy shows which part it is."""
    monkeypatch.setattr(random_views, "_LIGHT", (1.0, 1.0))
    height, width = 100, 120
    rgb = np.zeros((height, width, 3), dtype=np.uint8)
    rgb[..., 0], rgb[..., 1] = 2 * np.arange(width), 2 * np.arange(height)[:, None]
    copies = [random_view(rgb, 16, np.random.default_rng(seed)) for seed in range(400)]
    left, top = (np.array([copy[..., axis].min() / 2 for copy in copies]) for axis in (0, 1))
    right, bottom = (np.array([copy[..., axis].max() / 2 + 1 for copy in copies]) for axis in (0, 1))
    wide, high = (right - left) / width, (bottom - top) / height
    assert (wide * high).min() == pytest.approx(0.4, abs=0.03)
    assert (wide * high).max() == pytest.approx(1, abs=0.03)
    whole = (wide < 0.95) & (high < 0.95)  # parts that no edge of the picture cut
    stretches = np.sqrt(high / wide)[whole]
    assert stretches.min() == pytest.approx(np.exp(-0.15), abs=0.02)
    assert stretches.max() == pytest.approx(np.exp(0.15), abs=0.02)
    assert (left.min(), top.min(), right.max(), bottom.max()) == (0, 0, width, height)
    mirrored = np.mean([copy[0, 0, 0] > copy[0, -1, 0] for copy in copies])
    assert mirrored == pytest.approx(0.5, abs=0.08)
    assert all(copy[0, 0, 1] < copy[-1, 0, 1] for copy in copies)  # never upside down


def test_the_light_changes_by_up_to_thirty_percent():
    rgb = np.full((40, 40, 3), 120, dtype=np.uint8)
    means = [random_view(rgb, 16, np.random.default_rng(seed)).mean() / 120 for seed in range(200)]
    assert min(means) == pytest.approx(0.7, abs=0.03)
    assert max(means) == pytest.approx(1.3, abs=0.03)


@pytest.mark.parametrize("shape", [(16, 16), (16, 192), (192, 16), (33, 50)])
def test_copies_of_any_shape_can_be_described(shape):
    rgb = np.random.default_rng(0).integers(256, size=(*shape, 3), dtype=np.uint8)
    for seed in range(5):
        copy = random_view(rgb, 16, np.random.default_rng(seed))
        assert min(copy.shape[:2]) >= 16
        assert np.isfinite(describe(copy, list(BLOCKS))).all()
