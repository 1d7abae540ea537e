"""Value ranges as annotations, so that a constructor's signature is the whole schema of a recipe."""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple


class Range(NamedTuple):
    """Interval that a number must lie in; `open_low` and `open_high` leave the ends out."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def holds(self, value: float) -> bool:
        """Whether `value` lies in the interval (NaN never does).

        >>> Range(0, 1, open_low=True).holds(0), Range(0, 1).holds(0)
        (False, True)
        """
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return above and below

    def __str__(self) -> str:
        if self.high == math.inf:
            return f"{'>' if self.open_low else '>='} {self.low:g}"
        return f"in {'(' if self.open_low else '['}{self.low:g}, {self.high:g}{')' if self.open_high else ']'}"


Count = Annotated[int, Range(1)]
"""A whole number of things, at least one."""
NonNegativeInt = Annotated[int, Range(0)]
PositiveFloat = Annotated[float, Range(0, math.inf, open_low=True, open_high=True)]
NonNegativeFloat = Annotated[float, Range(0, math.inf, open_high=True)]
Share = Annotated[float, Range(0, 1)]
"""A part of the whole, from 0 to 1."""
OpenShare = Annotated[float, Range(0, 1, open_high=True)]
"""A part that leaves something over: from 0 to just below 1."""
