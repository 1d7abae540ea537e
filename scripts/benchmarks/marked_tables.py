"""Write the tables of recorded runs between the marks of a page, or check that they are there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def recorded(lines: Path) -> list[dict[str, Any]]:
    """Return the runs of a file with a line of JSON for each."""
    return [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]


def write_tables(page: Path, kind: str, tables: Mapping[str, str], check: bool) -> int:
    """Fill the marks `<!-- kind: name -->` of a page.

    Args:
        page: the page.
        kind: first word of its marks, which is the name of the benchmark too.
        tables: lines of each table, by its name.
        check: whether to change nothing.

    Returns:
        The exit code, 1 where a table differs and `check` is set.
    """
    mark = re.compile(rf"(<!-- {kind}: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
    before = page.read_text(encoding="utf-8")
    after = mark.sub(lambda match: f"{match[1]}{tables[match[2]]}{match[3]}", before)
    if check and after != before:
        print(f"{page.name} differs from the recorded lines of {kind}; write its tables again")
        return 1
    if after != before:
        page.write_text(after, encoding="utf-8")
    return 0


def as_markdown(rows: list[tuple[str, ...]]) -> str:
    """Return the lines of a table, whose first row has the names of the columns.

    >>> as_markdown([("a", "b"), ("1", "2")])
    '| a | b |\\n| --- | --- |\\n| 1 | 2 |\\n'
    """
    first, *rest = rows
    return "".join(f"| {' | '.join(row)} |\n" for row in (first, tuple("---" for _ in first), *rest))
