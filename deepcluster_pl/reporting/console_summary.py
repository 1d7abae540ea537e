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
    if any(scores[part]["n_empty"] for part in parts):
        console.print(f"warning: {empty_clusters_text(scores)}", soft_wrap=True)


def empty_clusters_text(scores: dict[str, Any]) -> str:
    """How many clusters hold no sample, in each part that has such clusters, and the sizes of all.

    >>> block = {"n": 9, "n_empty": 2, "collapsed": True, "cluster_sizes": [0, 9, 0]}
    >>> empty_clusters_text({"n_clusters": 3, "fit": block, "holdout": None})
    '2 of 3 clusters hold none of the 9 fitted samples: the partition collapsed; sizes [0, 9, 0]'
    """
    texts = []
    for part, kind in (("fit", "fitted"), ("holdout", "held-out")):
        block = scores[part]
        if block is not None and block["n_empty"]:
            text = f"{block['n_empty']} of {scores['n_clusters']} clusters hold none of the {block['n']} {kind} samples"
            collapse = ": the partition collapsed" if block["collapsed"] else ""
            texts.append(f"{text}{collapse}; sizes {block['cluster_sizes']}")
    return "; ".join(texts)


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
