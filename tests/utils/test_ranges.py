"""What ranges promise: ends belong or do not, NaN never does, and the text says so."""

from __future__ import annotations

import math
from typing import get_args

import pytest

from deepcluster_pl.utils.ranges import Count, NonNegativeInt, OpenShare, PositiveFloat, Range, Share

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("annotation", "inside", "outside", "text"),
    [
        (Count, [1, 2, 10**9], [0, -5, NAN], ">= 1"),
        (NonNegativeInt, [0, 1, 2**40], [-1, -INF, NAN], ">= 0"),
        (PositiveFloat, [1e-300, 1, 1e300], [0, -1.0, INF, NAN], "> 0"),
        (Share, [0, 0.5, 1], [-1e-9, 1 + 1e-9, INF, NAN], "in [0, 1]"),
        (OpenShare, [0, 0.3, 1 - 1e-9], [1, 1.0, -0.1, NAN], "in [0, 1)"),
    ],
    ids=["Count", "NonNegativeInt", "PositiveFloat", "Share", "OpenShare"],
)
def test_annotation_holds_what_its_name_says(annotation, inside, outside, text):
    kind, limits = get_args(annotation)
    assert kind in (int, float)
    assert all(limits.holds(value) for value in inside)
    assert not any(limits.holds(value) for value in outside)
    assert str(limits) == text


@pytest.mark.parametrize("open_low", [True, False])
@pytest.mark.parametrize("open_high", [True, False])
def test_each_end_belongs_unless_it_is_open(open_low, open_high):
    limits = Range(-2, 3, open_low, open_high)
    assert limits.holds(-2) is not open_low
    assert limits.holds(3) is not open_high
    assert limits.holds(0)
    assert str(limits) == f"in {'(' if open_low else '['}-2, 3{')' if open_high else ']'}"


def test_range_without_limits_holds_every_number_but_nan():
    assert Range().holds(-1e308)
    assert Range().holds(INF)
    assert not Range().holds(NAN)
