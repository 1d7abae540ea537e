"""Guess what a mistyped override means: the nearest name, or the data source that has a key."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from pathlib import Path

from deepcluster_pl.config.recipes import keys_of_option, options


def closest_match(name: str, choices: Sequence[str], prefix: str = "") -> str:
    """Return a hint: the nearest choice in any case of letters, or all choices if they are few.

    Args:
        name: the word that was typed.
        choices: names that could have been typed; of a dotted name, its last part is compared too.
        prefix: what to type before the choice, such as `method=`.

    >>> closest_match("DEC", ["dec", "idec"], "method="), closest_match("zzz", ["a", "b"])
    ('did you mean method=dec?', 'choose from a, b')
    """
    whole = {choice.lower(): choice for choice in reversed(choices)}
    last = {choice.rpartition(".")[2].lower(): choice for choice in reversed(choices)}
    close = [
        *(whole[match] for match in difflib.get_close_matches(name.lower(), list(whole), n=1)),
        *(last[match] for match in difflib.get_close_matches(name.lower().rpartition(".")[2], list(last), n=1)),
    ]
    if close:
        return f"did you mean {prefix}{close[0]}?"
    return f"choose from {', '.join(sorted(choices))}" if len(choices) <= 20 else "--help lists what there is"


_AFTER = {"texts": "array"}
"""Sources that keys choose only where another one lacks some of them."""


def sources_with(keys: Collection[str], folders: Sequence[Path] = ()) -> list[str]:
    """Return the options of `data` that have all of these keys; keys that no source has do not count.

    A file of which nothing else is known is a table: `data.path` alone is that of `array`, though `texts` has one too.

    Args:
        keys: such as `data.path`.
        folders: further folders of recipes.

    >>> sources_with(["data.path", "data.nothing"]), sources_with(["data.nothing"])
    (['array'], [])
    """
    known = {name: keys_of_option("data", name, folders) for name in options("data", folders)}
    real = {key for key in keys if any(key in of_source for of_source in known.values())}
    found = [name for name, of_source in known.items() if real and real <= of_source]
    return [name for name in found if _AFTER.get(name) not in found]
