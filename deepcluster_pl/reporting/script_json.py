"""JSON that is safe inside a script element of a page."""

from __future__ import annotations

import json
from typing import Any

from markupsafe import Markup


def script_json(facts: Any) -> Markup:
    """Return JSON in ASCII that is safe inside a script element, whatever names hold.

    >>> str(script_json({"id": "</script>&"}))
    '{"id":"\\\\u003c/script\\\\u003e\\\\u0026"}'
    """
    text = json.dumps(facts, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)
