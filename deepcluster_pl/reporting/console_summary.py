"""Print the table at the end of a run: the method beside its baselines."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deepcluster_pl.evaluation.simple_baselines import SIMPLE
from deepcluster_pl.reporting.candidate_table import print_candidates
from deepcluster_pl.utils.run_folder import RunFolder

_WITH_LABELS = (("ACC", "acc"), ("NMI", "nmi"), ("ARI", "ari"))
_WITHOUT_LABELS = (("silhouette", "silhouette"), ("Davies-Bouldin", "davies_bouldin"), ("balance", "size_entropy"))
_SIMPLE = {baseline.name: baseline.title for baseline in SIMPLE}


def print_summary(console: Console, scores: dict[str, Any]) -> None:
    """Print one row each for the baselines, the initialization and the method, and a warning of empty clusters.

    Args:
        console: prints the table.
        scores: content of scores.json.
    """
    print_candidates(console, scores)
    parts = [part for part in ("fit", "holdout") if scores[part] is not None]
    columns = _WITH_LABELS if scores["fit"]["acc"] is not None else _WITHOUT_LABELS
    title = f"{scores['method']} on {scores['data']}, {scores['n_clusters']} clusters, seed {scores['seed']}"
    console.print(title, markup=False)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("")  # a long title takes two lines before any number is cut
    for part in parts:
        for title, _ in columns:
            table.add_column(f"{title}\n{'held out' if part == 'holdout' else 'fit'}", justify="right", no_wrap=True)
    for title, blocks in summary_rows(scores):
        table.add_row(Text(title), *(_cell(blocks[part], key) for part in parts for _, key in columns))
    console.print(table)
    if any(scores[part]["n_empty"] for part in parts):
        console.print(f"warning: {empty_clusters_text(scores)}", soft_wrap=True, markup=False)


def print_verdict(console: Console, scores: dict[str, Any], folder: RunFolder) -> None:
    """Print the groups found, how they compare, whether to trust them, the command to type next, and the folder.

    Args:
        console: prints the lines.
        scores: content of scores.json.
        folder: the run folder.
    """
    verdict = scores["verdict"]
    for text in (*filter(None, (verdict["found"], verdict["compared"], verdict["trust"])), f"next: {verdict['next']}"):
        console.print(text, highlight=False, soft_wrap=True, markup=False)
    text = f"everything is in {folder.path}; the report is {folder.report.name}"
    if folder.gallery.is_file():
        text += f", and {folder.gallery.name} shows the pictures by group"
    console.print(text, highlight=False, soft_wrap=True, markup=False)


def empty_clusters_text(scores: dict[str, Any]) -> str:
    """Return how many clusters hold no sample, for each part that has such clusters, with all sizes.

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
    """Return titles and score blocks (by part) of all rows that have scores, the method last."""
    baselines, teacher = scores["baselines"], scores.get("teacher")
    rows = (baselines.get("protocol") or {}).get("simple_rows")
    sampled = f", {rows:,} rows" if rows is not None and rows < scores["fit"]["n"] else ""
    rows = [
        ("k-means on input", baselines["kmeans_raw"]),
        *((f"{title}{sampled}", baselines.get(name)) for name, title in _SIMPLE.items()),  # earlier versions have none
        ("k-means on embedding", baselines["kmeans_code"]),
        ("initialization", scores["start"]),
        (f"{scores['method']}, the teacher", teacher),
        ("student" if teacher else scores["method"], {"fit": scores["fit"], "holdout": scores["holdout"]}),
    ]
    return [(title, blocks) for title, blocks in rows if blocks is not None and blocks["fit"] is not None]


def _cell(block: dict[str, Any] | None, key: str) -> str:
    """Return a score with three decimals, or n/a where there is none."""
    value = None if block is None else block[key]
    return "n/a" if value is None else f"{value:.3f}"
