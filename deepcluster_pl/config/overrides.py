"""Turn settings as a dict, a plain string or a sequence into overrides as typed on the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from deepcluster_pl.errors import UserError

_PLAIN = re.compile(r"[A-Za-z_][\w./+-]*")
_WORDS = {"true", "false", "null", "nan", "inf", "none"}


def as_overrides(given: Any) -> list[str]:
    """Return overrides as they are typed on the command line.

    Args:
        given: a dict, nested or with dots in its keys; one override as a string; or a sequence of such strings. None is
            none.

    Returns:
        Overrides such as `net.dims=[500,10]`.

    Raises:
        UserError: it is something else, or a string without `=`.

    >>> as_overrides({"net": {"dims": [500, 10]}, "fit.max_steps": 20, "whiten": None, "map": "pca"})
    ['net.dims=[500,10]', 'fit.max_steps=20', 'whiten=null', 'map=pca']
    >>> as_overrides("fit.max_steps=20")
    ['fit.max_steps=20']
    """
    if given is None:
        return []
    if isinstance(given, Mapping):
        return [f"{key}={_typed(value)}" for key, value in _flat(given)]
    texts = [given] if isinstance(given, str) else list(given) if isinstance(given, Iterable) else None
    if texts is None or not all(isinstance(text, str) for text in texts):
        raise UserError(
            f"overrides: found {given!r}, expected a dict such as {{'fit.max_steps': 20}}, "
            f"or texts such as ('fit.max_steps=20',)"
        )
    for text in texts:
        if "=" not in text and not text.startswith("~"):
            raise UserError(f"overrides: found {text!r}, expected <key>=<value>, such as 'fit.max_steps=20'")
    return [str(text) for text in texts]


def _flat(given: Mapping[Any, Any], above: str = "") -> Iterable[tuple[str, Any]]:
    """Yield each key, with dots, and its value; a dict that is a value holds keys below it."""
    for key, value in given.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _typed(value: Any) -> str:
    """Return a value as Hydra reads it; a text that could be read as anything else is quoted."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
            return value
        quoted = re.sub(r"(\\+)(?='|$)", r"\1\1", value).replace("'", "\\'")
        return f"'{quoted}'"
    if hasattr(value, "tolist"):  # numbers and arrays of NumPy
        return _typed(value.tolist())
    if isinstance(value, (list, tuple)):
        return f"[{','.join(_typed(each) for each in value)}]"
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{key}:{_typed(each)}' for key, each in value.items())}}}"
    return str(value)
