"""Reading of JSON files that others may have written, in bounded memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MAX_BYTES = 16 * 2**20
"""Larger files are refused; ours take a few thousand bytes."""


def read_json(path: Path, max_bytes: int = MAX_BYTES) -> Any:
    """Return the content of a JSON file.

    Args:
        path: the file.
        max_bytes: size above which it is not read.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no regular file, is too large, or holds no JSON in UTF-8.
    """
    if path.exists() and not path.is_file():
        raise ValueError(f"{path.name} is no regular file")
    with path.open("rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise ValueError(f"{path.name} has more than {max_bytes:,} bytes")
    try:
        return json.loads(content.decode("utf-8"))
    except RecursionError as error:
        raise ValueError(f"{path.name} is nested too deeply") from error
