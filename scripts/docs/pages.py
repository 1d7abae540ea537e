"""Write a table into a page between two marks; the rest of the page does not change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def write_between(page: Path, name: str, lines: Sequence[str]) -> None:
    """Write lines between `<!-- name -->` and `<!-- name end -->`; raise `ValueError` if the page lacks a mark."""
    begin, end = f"<!-- {name} -->", f"<!-- {name} end -->"
    text = page.read_text(encoding="utf-8")
    if begin not in text or end not in text:
        raise ValueError(f"{page} has no {begin} … {end}")
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    page.write_text(before + "\n".join([begin, *lines, end]) + after, encoding="utf-8")
