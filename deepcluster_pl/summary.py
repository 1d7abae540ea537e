"""The table at the end of a run: the baselines beside the method."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

_WITH_LABELS = (("ACC", "acc"), ("NMI", "nmi"), ("ARI", "ari"))
_WITHOUT = (("silhouette", "silhouette"), ("Davies-Bouldin", "davies_bouldin"), ("balance", "size_entropy"))


def print_summary(console: Console, scores: dict[str, Any]) -> None:
    """Rows: k-means on the raw input and on the code, the start, the method; fit and held-out side by side."""
    parts = [part for part in ("fit", "holdout") if scores[part] is not None]
    columns = _WITH_LABELS if scores["fit"]["acc"] is not None else _WITHOUT
    title = f"{scores['method']} on {scores['data']}, {scores['n_clusters']} clusters, seed {scores['seed']}"
    console.print(title)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("", no_wrap=True)
    for part in parts:
        for title, _ in columns:
            table.add_column(f"{title}\n{'held out' if part == 'holdout' else part}", justify="right")
    for title, blocks in summary_rows(scores):
        cells = [_cell(blocks[part], key) for part in parts for _, key in columns]
        table.add_row(title, *cells)
    console.print(table)
    for part in parts:
        block = scores[part]
        if block["collapsed"]:
            console.print(f"warning: the partition of the {part} part collapsed; sizes {block['cluster_sizes']}")


def summary_rows(scores: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Titles and score blocks, without rows that would say the same twice."""
    baselines = scores["baselines"]
    rows = [
        ("k-means on input", baselines["kmeans_raw"]),
        ("k-means on code", baselines["kmeans_code"]),
        ("start", scores["start"]),
        (scores["method"], {"fit": scores["fit"], "holdout": scores["holdout"]}),
    ]
    return [(title, blocks) for title, blocks in rows if blocks is not None and blocks["fit"] is not None]


def _cell(block: dict[str, Any] | None, key: str) -> str:
    value = None if block is None else block[key]
    return "n/a" if value is None else f"{value:.3f}"
