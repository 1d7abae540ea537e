"""Show what method=auto tried: a table on the console, candidates.csv, and the cells of the report's table."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deepcluster_pl.utils.atomic_files import atomic_write

_CRITERIA = (("share", "information"), ("agreement", "agreement"))
"""Criteria that read no label: key and title."""
_WITH_LABELS = (("acc", "ACC"), ("nmi", "NMI"), ("ari", "ARI"))


def columns_of(candidates: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return key and title of each column that has values, scores against labels last."""
    has_labels = any(row["nmi"] is not None for row in candidates)
    return [*_CRITERIA, *(_WITH_LABELS if has_labels else ())]


def cells_of(row: dict[str, Any], columns: list[tuple[str, str]]) -> list[str]:
    """Return the cells of a candidate's values, with three decimals; a dash stands for none.

    >>> cells_of({"share": 0.9, "nmi": None}, [("share", "information"), ("nmi", "NMI")])
    ['0.900', '–']
    """
    return ["–" if row[key] is None else f"{row[key]:.3f}" for key, _ in columns]


def candidate_rows(scores: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of the report's table, each with its `cells`; none where only one recipe was carried out."""
    candidates = scores.get("candidates") or []
    columns = columns_of(candidates)
    return [row | {"cells": cells_of(row, columns)} for row in candidates]


def sureness_text(choice: dict[str, Any]) -> str:
    """Return how sure the choice is, in words.

    >>> sureness_text({"name": "graph", "sureness": 0.96})
    'It wins in 96% of the draws of samples: the choice is clear.'
    """
    share = choice["sureness"]
    words = "the choice is clear" if share >= 0.9 else "the choice is likely" if share >= 0.6 else "the choice is open"
    return f"It wins in {share:.0%} of the draws of samples: {words}."


def print_candidates(console: Console, scores: dict[str, Any]) -> None:
    """Print one row for each candidate, the chosen one marked; nothing where only one recipe was carried out.

    Args:
        console: prints the table.
        scores: content of scores.json.
    """
    candidates, choice = scores.get("candidates"), scores.get("choice")
    if not candidates or not choice:
        return
    columns = columns_of(candidates)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("tried", no_wrap=True)
    for title in (*(title for _, title in columns), "s"):
        table.add_column(title, justify="right")
    for row in candidates:
        style = "bold" if row["chosen"] else ""
        name = f"{row['name']}{' ◂' if row['chosen'] else ''}"
        table.add_row(Text(name), *cells_of(row, columns), f"{row['seconds']:.1f}", style=style)
    console.print(table)
    console.print(f"chosen without labels: {choice['name']}. {sureness_text(choice)}", soft_wrap=True, markup=False)


def save_candidates(path: Path, candidates: list[dict[str, Any]]) -> None:
    """Write candidates.csv: a row for each candidate, with seconds, criteria, and scores where there are labels."""
    with atomic_write(path) as file:
        writer = csv.DictWriter(file, list(candidates[0]))
        writer.writeheader()
        writer.writerows(candidates)
