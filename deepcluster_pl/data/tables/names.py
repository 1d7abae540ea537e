"""Names of columns in messages: a few of many, and commands that can be typed whatever a column is called."""

from __future__ import annotations

import difflib
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence

_MAX_NAMES, _MAX_NAME = 10, 80
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_NEAR, _MOST_COMPARED = 3, 2000


def shorten(names: Iterable[str]) -> str:
    """Return names in one short text: the first few, and the number of the others.

    >>> shorten("abc"), shorten(str(i) for i in range(60_000))
    ('a, b, c', '0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 59990 more')
    """
    listed = list(names)
    rest = f" and {len(listed) - _MAX_NAMES} more" if len(listed) > _MAX_NAMES else ""
    shown = [one_line(name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME]}...") for name in listed[:_MAX_NAMES]]
    return ", ".join(shown) + rest


def one_line(name: str) -> str:
    """Return a name with an escape for what is no printable character, such as a line end."""
    return (
        name
        if name.isprintable()
        else "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in name)
    )


def distinct_names(names: Sequence[str]) -> tuple[list[str], str]:
    """Return names of columns of which no two are equal, and a line about those that were; empty where none was.

    >>> distinct_names(["score", "score", "time"])
    (['score', 'score (2)', 'time'], "2 columns are called 'score': the second is taken as 'score (2)'")
    """
    if len(set(names)) == len(names):
        return list(names), ""
    taken, counts, out, repeated = set(names), Counter[str](), [], ""
    for name in names:
        counts[name] += 1
        if counts[name] == 1:
            out.append(name)
            continue
        repeated = repeated or name
        number = counts[name]
        while (new := f"{name} ({number})") in taken:
            number += 1
        taken.add(new)
        out.append(new)
    total = names.count(repeated)
    shown = one_line(repeated)[:_MAX_NAME]
    return out, f"{total} columns are called {shown!r}: the second is taken as {f'{shown} (2)'!r}"


def nearest(name: str, names: Sequence[str]) -> str:
    """Return at most three names that are near to one that does not exist, or else the first of all.

    >>> nearest("segmnt", ["spend", "visits", "segment"])
    "did you mean 'segment'?"
    """
    candidates = [other for other in names if abs(len(other) - len(name)) <= 3][:_MOST_COMPARED]
    near = difflib.get_close_matches(name[:_MAX_NAME], [other[:_MAX_NAME] for other in candidates], n=_NEAR)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else f"found {shorten(names)}"


def typed(key: str, names: str | Sequence[str]) -> str:
    r"""Return an override that can be typed as it is, in a shell, whatever the names hold.

    Args:
        key: key of the config.
        names: one name, or several for a list.

    >>> typed("data.label_column", "kind")
    'data.label_column=kind'
    >>> shlex.split(typed("data.columns", ["a (cm)", "it's"]))
    ["data.columns=['a (cm)','it\\'s']"]
    """
    value = hydra_text(names) if isinstance(names, str) else f"[{','.join(map(hydra_text, names))}]"
    return shlex.quote(f"{key}={value}")


def typed_kind(kind: str, name: str) -> str:
    """Return the override that says what a column is, whatever it is called.

    >>> shlex.split(typed_kind("number", "sepal length (cm)"))
    ["data.columns={number:['sepal length (cm)']}"]
    """
    return shlex.quote(f"data.columns={{{kind}:[{hydra_text(name)}]}}")


def hydra_text(text: str) -> str:
    """Return text in the grammar of Hydra's overrides: as it is where nothing in it has a meaning, or else quoted."""
    if _PLAIN.fullmatch(text) and text.lower() not in ("null", "true", "false", "nan", "inf"):
        return text
    # Inside single quotes Hydra reads backslashes before a quote, before ${ and at the end
    text = re.sub(r"(\\*)\$\{", lambda m: m[1] * 2 + "\\${", text)
    text = re.sub(r"(\\*)'", lambda m: m[1] * 2 + "\\'", text)
    text = re.sub(r"(\\+)$", lambda m: m[1] * 2, text)
    return f"'{text}'"
