"""Write the result of a run in plain sentences, and warnings of what to be careful about."""

from __future__ import annotations

from typing import Any

from deepcluster_pl.methods.initialization.cluster_number import ClusterNumberEstimate
from deepcluster_pl.reporting.console_summary import summary_rows
from deepcluster_pl.reporting.verdict import BASELINES

_LIMITS = {"max_steps": "fit.max_steps", "max_time": "trainer.max_time"}
_VERY_SMALL = 0.1
_STILL_CHANGING = 0.01
_WORSE_SILHOUETTE = 0.05
_SAMPLES_PER_CLUSTER = 10


def summary_sentences(scores: dict[str, Any], n_doubtful: int) -> list[str]:
    """Return what the verdict leaves out: doubtful samples, the estimated number, how training ended, use of labels.

    Args:
        scores: content of scores.json.
        n_doubtful: fitted samples that nearly belong to another cluster.
    """
    fit, sentences = scores["fit"], []
    several = sum(size > 0 for size in fit["cluster_sizes"]) > 1
    if several and n_doubtful == 0:
        sentences.append("Every sample clearly belongs to one cluster.")
    elif several:
        doubtful = f"{_count(n_doubtful, 'sample')} ({n_doubtful / fit['n']:.0%})"
        sentences.append(f"{doubtful} could almost as well belong to another cluster.")
    sentences.append(_estimated_number(scores["n_clusters_found"]))
    sentences.append(_end_of_training(scores))
    sentences.append(_use_of_labels(scores))
    return [sentence for sentence in sentences if sentence]


def comparison_bars(scores: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """Return what the bars beside the verdict show, and one bar for each row of the table, the method last.

    Args:
        scores: content of scores.json.

    Returns:
        A title; `name`, `value` and `share` (0 to 1, the length) of each bar.
    """
    if scores["fit"]["nmi"] is not None:
        values = [(name, blocks["fit"]["nmi"]) for name, blocks in summary_rows(scores)]
        title = "Agreement with the labels (NMI, 1 is perfect)"
    else:
        names = {key: name for key, (name, _) in BASELINES.items()}
        names |= {"start": "initialization", "method": scores["method"]}
        rows = scores["criteria"]["rows"]
        values = [(names.get(key, key), row["together"]) for key, row in rows.items()]
        title = "Share of nearest neighbors in the same group"
    return title, [{"name": name, "value": value, "share": min(1.0, max(0.0, value))} for name, value in values]


def warning_sentences(scores: dict[str, Any], n_doubtful: int, changed: float | None) -> list[str]:
    """Return what a reader should not overlook, and what to type against it.

    Args:
        scores: content of scores.json.
        n_doubtful: fitted samples that nearly belong to another cluster.
        changed: share of samples that changed cluster between the last two refreshes; None where there were none.
    """
    fit, warnings = scores["fit"], []
    n, n_clusters, sizes = fit["n"], scores["n_clusters"], fit["cluster_sizes"]
    if fit["collapsed"]:
        warnings.append(
            "The partition collapsed: at least half of the clusters are empty. Type a smaller fit.optimizer.lr."
        )
    elif fit["n_empty"]:
        warnings.append(
            f"{fit['n_empty']} of {n_clusters} clusters hold no sample. Type a smaller n_clusters, or "
            f"callbacks.target_refresh.reseed_empty=true."
        )
    if scores["n_clusters_found"] and ClusterNumberEstimate(**scores["n_clusters_found"]).is_faint:
        warnings.append("Two halves of the data hardly agree more than data without groups: there may be no groups.")
    small = [k for k, size in enumerate(sizes) if 0 < size < _VERY_SMALL * n / n_clusters]
    if small and n >= 100:
        noun = "cluster" if len(small) == 1 else "clusters"
        warnings.append(f"Very small: {noun} {', '.join(map(str, small[:20]))}.")
    if scores["stopped"] in _LIMITS and changed is not None and changed > _STILL_CHANGING:
        warnings.append(
            f"Not converged: {changed:.1%} of the samples still changed cluster at the last refresh. "
            f"Type a larger {_LIMITS[scores['stopped']]}."
        )
    if n_doubtful > n / 3:
        warnings.append("More than a third of the samples could almost as well belong to another cluster.")
    before = (scores["start"] or {}).get("fit") if scores.get("kept") is None else None  # the guard knows better
    if before and fit["silhouette"] is not None and before["silhouette"] is not None and scores["stopped"] != "none":
        lost = before["silhouette"] - fit["silhouette"]
        if lost > _WORSE_SILHOUETTE:
            warnings.append(
                f"The silhouette of the initialization was higher by {lost:.2f}: "
                f"training made the clusters less compact in the input."
            )
    if n < _SAMPLES_PER_CLUSTER * n_clusters:
        warnings.append("Fewer than ten samples per cluster: another seed may give other clusters.")
    return warnings


def _estimated_number(found: dict[str, Any] | None) -> str:
    """Return how the number of clusters was estimated; nothing where it was typed."""
    if not found:
        return ""
    estimate = ClusterNumberEstimate(**found)
    agreement, reference = estimate.evidence(estimate.n_clusters)
    tried = (
        f"{estimate.n_clusters} out of {estimate.candidates[0]} to {estimate.candidates[-1]}"
        if estimate.second
        else f"{estimate.n_clusters}, the only one that was tried"
    )
    second = f" The next best number is {estimate.second}." if estimate.second else ""
    named = [f"{k} {word}" for k, word in ((estimate.coarse, "coarser"), (estimate.fine, "finer")) if k]
    if named:
        second = f" The groups have levels: there are {' and '.join(f'{level} ones' for level in named)}."
    return (
        f"The number of clusters was estimated: {tried}. With it, two halves of the data agree by {agreement:.2f}, "
        f"data without groups by {reference:.2f}.{second}"
    )


def _end_of_training(scores: dict[str, Any]) -> str:
    """Return why training ended, and whether a student took over."""
    took_over = " A student learned that partition, and its own is the result." if scores.get("teacher") else ""
    return _end_of_fit(scores) + took_over


def _end_of_fit(scores: dict[str, Any]) -> str:
    """Return why the fit ended."""
    steps = _count(scores["steps"], "step")
    if scores["stopped"] == "tol":
        return f"Training converged after {steps}: almost no sample changed cluster any more."
    if scores["stopped"] == "max_steps":
        return f"Training ended after {steps}, as many as it was allowed."
    if scores["stopped"] == "max_time":
        return f"Training ended after {steps}, as its time was over."
    return "The initialization was not trained further."


def _use_of_labels(scores: dict[str, Any]) -> str:
    """Return what labels were used for, or that there are none to measure accuracy with."""
    if scores["fit"]["acc"] is not None:
        return "Labels are used for scores only; training never reads them."
    return (
        "There are no labels, so accuracy cannot be measured. The scores below only describe how compact and "
        "separate the clusters are."
    )


def _count(n: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is one."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
