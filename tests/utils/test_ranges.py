"""Ranges promise: each end belongs or does not, and each says its limits in words."""

from __future__ import annotations

import math

import pytest

from deepcluster_pl.config.annotations import mismatch
from deepcluster_pl.utils.ranges import Count, NonNegativeFloat, NonNegativeInt, OpenShare, PositiveFloat, Share

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("annotation", "inside", "outside", "text"),
    [
        (Count, [1, 2, 10**9], [0, -5, NAN, 1.0], "a whole number >= 1"),
        (NonNegativeInt, [0, 1, 2**40], [-1, -INF, NAN, True], "a whole number >= 0"),
        (PositiveFloat, [1e-300, 1, 1e300], [0, -1.0, INF, NAN, True], "a number > 0"),
        (NonNegativeFloat, [0, 0.0, 5], [-1e-300, INF, NAN, "1"], "a number >= 0"),
        (Share, [0, 0.5, 1], [-1e-9, 1 + 1e-9, INF, NAN], "a number >= 0 and <= 1"),
        (OpenShare, [0, 0.3, 1 - 1e-9], [1, 1.0, -0.1, NAN], "a number >= 0 and < 1"),
    ],
    ids=["Count", "NonNegativeInt", "PositiveFloat", "NonNegativeFloat", "Share", "OpenShare"],
)
def test_annotation_holds_what_its_name_says(annotation, inside, outside, text):
    assert {value: mismatch(value, annotation) for value in inside} == dict.fromkeys(inside, "")
    assert [mismatch(value, annotation) for value in outside] == [text] * len(outside)
