"""Name the value ranges that constructors use in annotations, so that a signature is the whole schema of a recipe."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Interval

Count = Annotated[int, Ge(1)]
"""A number of things, at least one."""
NonNegativeInt = Annotated[int, Ge(0)]
PositiveFloat = Annotated[float, Gt(0)]
NonNegativeFloat = Annotated[float, Ge(0)]
Share = Annotated[float, Interval(ge=0, le=1)]
"""A part of the whole, from 0 to 1."""
OpenShare = Annotated[float, Interval(ge=0, lt=1)]
"""A part that leaves something over: from 0 to just below 1."""
