"""A value fits its annotation, or one line says what was expected."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Literal, TypedDict, Union

import pytest
from annotated_types import Interval
from omegaconf import OmegaConf
from torch import Tensor, nn

from deepcluster_pl.config.annotations import arguments, describe, mismatch
from deepcluster_pl.config.trainer_arguments import Duration
from deepcluster_pl.utils.ranges import Count

NODE = OmegaConf.create({"_target_": "torch.nn.ReLU"})
PRECISION = Union[Literal[64, 32], Literal["bf16-mixed"], None]  # noqa: UP007


@pytest.mark.parametrize(
    ("hint", "values"),
    [
        (int, [0, -3, 10**30]),
        (float, [1, 2.5, -1e300]),
        (bool, [True, False]),
        (str, ["", "a", "ü", "💥", "bad \udcff byte"]),
        (list, [[], [1, "a", None]]),
        (list[Count], [[], [1, 2]]),
        (tuple[float, float], [[0.9, 1]]),
        (tuple[int, ...], [[], [1, 2, 3]]),
        (dict[str, Any], [{}, {"a": 1}]),
        (dict[str, Any] | None, [None, {"a": {"b": [1]}}]),
        (Count | Literal["auto"], [1, "auto"]),
        (PRECISION, [64, "bf16-mixed", None]),
        (float | Tensor, [1, 0.5]),
        (str | timedelta | dict[str, int], ["00:00:01:00", {"minutes": 3}]),
        (Duration | None, ["00:12:00:00", "100:00:00:01", None]),
        (Any, [None, 1, math.nan, [1], {"a": 1}]),
    ],
)
def test_what_fits_is_let_through(hint, values):
    assert [mismatch(value, hint) for value in values] == [""] * len(values)
    nodes = [OmegaConf.create(value) for value in values if isinstance(value, dict | list)]
    assert [mismatch(node, hint) for node in nodes] == [""] * len(nodes)


@pytest.mark.parametrize(
    ("value", "hint", "expected"),
    [
        (True, int, "a whole number"),
        (1.0, int, "a whole number"),
        ("1", int, "a whole number"),
        (None, int, "a whole number"),
        (True, float, "a number"),
        (math.nan, float, "a number"),
        (math.inf, float, "a number"),
        (1, bool, "true or false"),
        (1, str, "text"),
        (0, Annotated[int, Interval(ge=1, le=2**32 - 1)], "a whole number >= 1 and <= 4294967295"),
        ("a", list, "a list"),
        ([10, 0], list[Count], "a list of a whole number >= 1"),
        (3, list[Count], "a list of a whole number >= 1"),
        ([0.9], tuple[float, float], "a list of a number"),
        (3, dict[str, Any] | None, "keys with values or null"),
        ("aut", Count | Literal["auto"], "a whole number >= 1 or auto"),
        (0, Count | Literal["auto"] | None, "a whole number >= 1 or auto or null"),
        ("c", Literal["a", "b"], "one of a, b"),
        ("half", PRECISION, "one of 64, 32 or bf16-mixed or null"),
        ("x", float | Tensor, "a number or a node with _target_ (Tensor)"),
        (3, nn.Module | None, "a node with _target_ (Module) or null"),
        (3, Callable[..., int], "a node with _target_ (Callable)"),
        ({"a": 1}, nn.Module, "a node with _target_ (Module)"),
        (30, str | timedelta, "text or a node with _target_ (timedelta)"),
        (30, Duration | None, "a time as DD:HH:MM:SS or null"),
        ("30", Duration | None, "a time as DD:HH:MM:SS or null"),
    ],
)
def test_what_does_not_fit_is_answered_with_what_was_expected(value, hint, expected):
    assert mismatch(value, hint) == expected


@pytest.mark.parametrize("hint", [nn.Module, nn.Module | None, Callable[..., Any], list[nn.Module], int, "unknown"])
def test_a_node_with_a_target_is_judged_once_it_is_made(hint):
    assert mismatch(NODE, hint) == ""


def test_a_list_of_nodes_fits_a_list_of_modules():
    assert mismatch(OmegaConf.create([NODE, NODE]), list[nn.Module]) == ""
    assert mismatch(OmegaConf.create([NODE, 3]), list[nn.Module]) == "a list of a node with _target_ (Module)"


def test_an_annotation_that_cannot_be_judged_lets_everything_through():
    class Twice(TypedDict):
        a: int

    for hint in ("Unknown", Twice):
        assert [mismatch(value, hint) for value in (1, "a", None)] == ["", "", ""]


def test_a_description_never_repeats_itself():
    assert describe(Union[list[int], tuple[int, ...], bool]).count("a list of a whole number") == 1  # noqa: UP007


def test_arguments_are_read_from_a_signature():
    def target(net: nn.Module, size: Count, *rest: int, name: str = "a", **others: Any) -> None: ...

    class Plain:
        def __init__(self, untyped, kind: Literal["a"]) -> None: ...

    assert arguments(Plain) == ({"untyped": Any, "kind": Literal["a"]}, {"untyped", "kind"}, False)
    assert arguments(target)[1:] == ({"net", "size"}, True)
