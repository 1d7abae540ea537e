"""Read a constructor's signature as the schema of its arguments, and check values against it with pydantic."""

from __future__ import annotations

import functools
import inspect
import json
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any, Literal, Union

from annotated_types import DocInfo
from omegaconf import OmegaConf
from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

from deepcluster_pl.data.options import CommonOptions

_WORDS = {
    int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "null", list: "a list",
    tuple: "a list", dict: "keys with values",
}  # fmt: skip
_SIGNS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}


def arguments(target: Callable[..., Any]) -> tuple[dict[str, Any], set[str], bool]:
    """Return a callable's argument types by name, the names without default, and whether it takes any other name."""
    function = target.__init__ if inspect.isclass(target) else target
    try:
        known = typing.get_type_hints(inspect.unwrap(function), include_extras=True)
    except (NameError, TypeError):
        known = {}
    hints: dict[str, Any] = {}
    required: set[str] = set()
    takes_any = False
    for parameter in inspect.signature(target).parameters.values():
        hint = known.get(parameter.name, Any)
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
    """Return the expected kind of value if a value does not fit its annotation; an empty string if it fits.

    Args:
        value: from a config: a number, text, null, or a node of OmegaConf. A node with `_target_` always fits, because
            its type is known only once it is made.
        hint: the annotation of a constructor's argument.

    >>> mismatch(2.5, int), mismatch(2, int)
    ('a whole number', '')
    """
    plain = OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
    if _is_object(plain):
        return ""
    if isinstance(plain, list):
        plain = [item for item in plain if not _is_object(item)]
    # JSON knows what a config knows: there, a strict check takes lists for tuples. Pydantic refuses lone surrogates.
    text = json.dumps(plain, ensure_ascii=False, default=str).encode("utf-8", "replace")
    try:
        _adapter(hint).validate_json(text)
    except ValidationError:
        return describe(hint)
    except (PydanticUserError, NameError):
        return ""  # pydantic cannot judge this annotation
    return ""


def describe(hint: Any) -> str:
    """Return what an annotation expects, in words.

    >>> describe(int | Literal["auto"] | None)
    'a whole number or auto or null'
    """
    origin, options = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        words = [note.documentation for note in options[1:] if isinstance(note, DocInfo)]
        return words[0] if words else " ".join([describe(options[0]), *_limits(options[1:])])
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(describe(option) for option in options))
    if origin is Literal:
        return f"one of {', '.join(map(str, options))}" if len(options) > 1 else str(options[0])
    if origin in (list, tuple) and options:
        return f"a list of {describe(options[0])}"
    kind = origin or hint
    return _WORDS.get(kind) or f"a node with _target_ ({getattr(kind, '__name__', kind)})"


def _limits(metadata: Iterable[Any]) -> Iterator[str]:
    """Yield the limits that `annotated_types` give a type, such as `> 0 and <= 1`."""
    for limit in metadata:
        pairs = [(sign, getattr(limit, name, None)) for name, sign in _SIGNS.items()]
        yield " and ".join(f"{sign} {end:.10g}" for sign, end in pairs if end is not None)


@functools.cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    """Return pydantic's strict check of an annotation; numbers have to be finite."""
    return TypeAdapter(hint, config=ConfigDict(strict=True, arbitrary_types_allowed=True, allow_inf_nan=False))


def _is_object(plain: Any) -> bool:
    """Return True for a node that stands for an object, False for a plain value."""
    return isinstance(plain, dict) and "_target_" in plain
