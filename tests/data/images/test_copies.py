"""Copies of a picture are found however they were changed, and other text is never taken for a copy."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.pictures import scene
from helpers.screenshots import CHANGES, changed, screenshot
from PIL import ImageDraw

from deepcluster_pl.data.images import copies
from deepcluster_pl.data.images.copies import find_copies
from deepcluster_pl.data.images.same_picture import Placement, are_copies, sharpness
from deepcluster_pl.data.images.thumbnails import make_thumbnail


def gray(image):
    return np.asarray(image.convert("L"))


def found(images, readable=True):
    """Groups among pictures, whose files can be read or not."""
    thumbnails = [make_thumbnail(np.asarray(image)) for image in images]
    load = (lambda rows: {i: gray(images[i]) for i in rows}) if readable else (lambda rows: {})
    return find_copies(thumbnails, [image.size for image in images], load)


def test_changed_copies_are_found_and_screenshots_of_other_text_are_not():
    originals = [screenshot(seed) for seed in range(6)] + [scene(seed, 200, 150) for seed in range(4)]
    made = [changed(originals[i], change) for i in (0, 8) for change in CHANGES]
    groups = found([*originals, *made])
    assert sorted(sorted(group.members) for group in groups) == [[0, *range(10, 15)], [8, *range(15, 20)]]
    assert all(group.is_certain for group in groups)
    assert groups[0].members[0] == 0  # the original is the largest


def test_one_other_line_makes_another_screenshot():
    one, other = screenshot(0), screenshot(0)
    draw = ImageDraw.Draw(other)
    draw.rectangle((14, 216, 180, 244), fill=(225, 235, 245))
    draw.text((15, 222), "see you at nine thirty", fill=(20, 20, 20))
    assert not are_copies(gray(one), gray(other))
    assert are_copies(gray(one), gray(one))


def test_a_part_is_found_though_its_place_is_known_roughly_only():
    image = scene(3, 300, 220)
    part = image.crop((24, 18, 276, 202))
    assert are_copies(gray(image), gray(part), Placement(0.1, 0.1, 0.8, 0.8))
    assert not are_copies(gray(image), gray(scene(4, 252, 184)), Placement(0.1, 0.1, 0.8, 0.8))


def test_the_sharper_of_two_equally_large_pictures_comes_first():
    sharp = screenshot(0)
    blurred = sharp.resize((90, 160)).resize(sharp.size)
    assert sharpness(gray(sharp)) > sharpness(gray(blurred))
    half = sharp.resize((216, 384)).resize(sharp.size)
    (group,) = found([half, sharp])
    assert group.members == [1, 0]


def test_pictures_that_cannot_be_compared_only_look_alike():
    groups = found([scene(1, 200, 150), scene(1, 100, 75), scene(2, 200, 150)], readable=False)
    assert [(group.members, group.is_certain) for group in groups] == [([0, 1], False)]


def test_beyond_the_limit_pairs_are_not_compared(monkeypatch):
    monkeypatch.setattr(copies, "MOST_PAIRS", 0)
    assert [group.is_certain for group in found([scene(1, 200, 150), scene(1, 100, 75)])] == [False]


def test_thousands_of_copies_are_one_group(monkeypatch):
    monkeypatch.setattr(copies, "MOST_PAIRS", 20)
    one = scene(0)
    groups = find_copies(
        [make_thumbnail(np.asarray(one))] * 3000, [one.size] * 3000, lambda rows: dict.fromkeys(rows, gray(one))
    )
    assert sorted(len(group.members) for group in groups) == [21, 2980]


@pytest.mark.parametrize("images", [[], [scene(0)]])
def test_of_none_or_one_there_are_none(images):
    assert found(images) == []
