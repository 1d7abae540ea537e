"""Make text from data fit to be drawn: short, and without characters that have no shape."""

from __future__ import annotations

import html
import unicodedata

_WITHOUT_SHAPE = {"Cc", "Cs", "Zl", "Zp"}  # controls, halves of characters, line and paragraph ends
_DIRECTIONS = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(text: object, most: int) -> str:
    """Return text on one line, in which characters without a shape are escaped.

    Args:
        text: text from data, such as a label; other values are turned into text.
        most: the largest number of characters to return; longer text ends in an ellipsis.

    >>> printable("a\\nb\\ud800", 20), printable("abcdef", 4)
    ('a\\\\nb\\\\ud800', 'abc…')
    """
    escaped = "".join(_escaped(sign) for sign in str(text)[: most + 1])
    return escaped if len(escaped) <= most else f"{escaped[: most - 1]}…"


def markdown_text(text: object) -> str:
    """Return text from data for a Markdown page: on one line, without a meaning of its own in Markdown or HTML.

    >>> markdown_text("<b>a|b</b> `c` [d](e)")
    '&lt;b&gt;a\\\\|b&lt;/b&gt; \\\\`c\\\\` \\\\[d\\\\](e)'
    """
    escaped = html.escape(printable(text, 2000), quote=False)
    return "".join(f"\\{sign}" if sign in "`|[]*" else sign for sign in escaped)


def _escaped(sign: str) -> str:
    """Return a character, or its escape where it has no shape or would turn the text around."""
    hidden = unicodedata.category(sign) in _WITHOUT_SHAPE or sign in _DIRECTIONS
    return sign.encode("unicode_escape").decode() if hidden else sign
