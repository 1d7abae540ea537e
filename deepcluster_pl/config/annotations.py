"""What a constructor's signature says of its arguments, and whether a value fits an annotation."""

from __future__ import annotations

import inspect
import math
import types
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Union

from omegaconf import DictConfig, OmegaConf

from deepcluster_pl.data.datamodule import CommonOptions
from deepcluster_pl.utils.ranges import Range


def arguments(target: Callable[..., Any]) -> tuple[dict[str, Any], set[str], bool]:
    """A callable's argument types by name, the names without default, and whether it takes any other name."""
    function = target.__init__ if inspect.isclass(target) else target
    try:
        types_ = typing.get_type_hints(inspect.unwrap(function), include_extras=True)
    except (NameError, TypeError):
        types_ = {}
    hints: dict[str, Any] = {}
    required: set[str] = set()
    takes_any = False
    for parameter in inspect.signature(target).parameters.values():
        hint = types_.get(parameter.name, Any)
        if parameter.kind is parameter.VAR_KEYWORD:
            if CommonOptions in typing.get_args(hint):
                hints |= typing.get_type_hints(CommonOptions, include_extras=True)
                required |= set(CommonOptions.__required_keys__)
            else:
                takes_any = True
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            hints[parameter.name] = hint
            if parameter.default is parameter.empty:
                required.add(parameter.name)
    return hints, required, takes_any


def mismatch(value: Any, hint: Any) -> str:
    """What was expected, where a value does not fit its annotation; empty where it fits, or nothing is known."""
    origin, options = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        wrong = mismatch(value, options[0])
        for limit in options[1:]:
            if not wrong and isinstance(limit, Range) and not limit.holds(value):
                wrong = f"{'a whole number' if options[0] is int else 'a number'} {limit}"
        return wrong
    if origin in (Union, types.UnionType):
        wrongs = [mismatch(value, option) for option in options]
        return "" if "" in wrongs else " or ".join(dict.fromkeys(wrongs))
    if origin is Literal:
        return "" if value in options else f"one of {', '.join(map(str, options))}"
    if origin in (list, tuple) and OmegaConf.is_list(value):
        item = options[0] if options else Any
        return next((f"a list of {wrong}" for wrong in (mismatch(entry, item) for entry in value) if wrong), "")
    return _plain_mismatch(value, hint if origin is None else origin)


def _plain_mismatch(value: Any, kind: Any) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind is float:
        return "" if number and not math.isnan(value) else "a number"
    if kind is int:
        return "" if number and isinstance(value, int) else "a whole number"
    if kind is bool:
        return "" if isinstance(value, bool) else "true or false"
    if kind is str:
        return "" if isinstance(value, str) else "text"
    if kind is type(None):
        return "" if value is None else "null"
    if kind in (list, tuple):
        return "a list"
    if kind is Any or isinstance(value, Mapping | DictConfig) or not inspect.isclass(kind):
        return ""
    return f"a {kind.__name__} (a node with _target_)" if isinstance(value, int | float | str | bool | None) else ""
