"""Write the result of a run in plain sentences, and warnings of what to be careful about."""

from __future__ import annotations

from typing import Any

from deepcluster_pl.methods.initialization.n_clusters import ClusterNumberEstimate

_LIMITS = {"max_steps": "fit.max_steps", "max_time": "trainer.max_time"}
_VERY_SMALL = 0.1
_STILL_CHANGING = 0.01
_WORSE_SILHOUETTE = 0.05
_SAMPLES_PER_CLUSTER = 10


def summary_sentences(scores: dict[str, Any], n_doubtful: int) -> list[str]:
    """Return a few sentences: cluster sizes, doubtful samples, how training ended, comparison with k-means.

    Args:
        scores: content of scores.json.
        n_doubtful: fitted samples that nearly belong to another cluster.
    """
    fit = scores["fit"]
    sizes = [size for size in fit["cluster_sizes"] if size]
    sentences = [
        f"{scores['method']} put {_count(fit['n'], 'sample')} of {scores['data']} into "
        f"{_count(len(sizes), 'cluster')}. "
        f"The largest holds {max(sizes):,} ({max(sizes) / fit['n']:.0%}), the smallest {min(sizes):,}."
    ]
    if len(sizes) > 1 and n_doubtful == 0:
        sentences.append("Every sample clearly belongs to one cluster.")
    elif len(sizes) > 1:
        doubtful = f"{_count(n_doubtful, 'sample')} ({n_doubtful / fit['n']:.0%})"
        sentences.append(f"{doubtful} could almost as well belong to another cluster.")
    sentences.append(_estimated_number(scores["n_clusters_found"]))
    sentences.append(_end_of_training(scores))
    sentences.append(_agreement_with_labels(scores))
    sentences.append(_comparison(scores))
    return [sentence for sentence in sentences if sentence]


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
    before = (scores["start"] or {}).get("fit")
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
    return (
        f"The number of clusters was estimated: {tried}. With it, two halves of the data agree by {agreement:.2f}, "
        f"data without groups by {reference:.2f}.{second}"
    )


def _end_of_training(scores: dict[str, Any]) -> str:
    """Return why training ended."""
    steps = _count(scores["steps"], "step")
    if scores["stopped"] == "tol":
        return f"Training converged after {steps}: almost no sample changed cluster any more."
    if scores["stopped"] == "max_steps":
        return f"Training ended after {steps}, as many as it was allowed."
    if scores["stopped"] == "max_time":
        return f"Training ended after {steps}, as its time was over."
    return "The initialization was not trained further."


def _agreement_with_labels(scores: dict[str, Any]) -> str:
    """Return the accuracy, or that there are no labels to measure it with."""
    accuracy = scores["fit"]["acc"]
    if accuracy is None:
        return (
            "There are no labels, so accuracy cannot be measured. The scores below only describe how compact and "
            "separate the clusters are."
        )
    held_out = (scores["holdout"] or {}).get("acc")
    more = f", and {held_out:.1%} of the held-out samples" if held_out is not None else ""
    return (
        f"When each cluster is paired with one label, {accuracy:.1%} of the labeled samples match{more}. "
        f"Labels are used for scores only; training never reads them."
    )


def _comparison(scores: dict[str, Any]) -> str:
    """Return the score of k-means on the raw input beside the method's; nothing where one is missing."""
    key, name = ("acc", "an accuracy") if scores["fit"]["acc"] is not None else ("silhouette", "a silhouette")
    raw = (scores["baselines"]["kmeans_raw"] or {}).get("fit")
    if raw is None or raw[key] is None or scores["fit"][key] is None:
        return ""
    return f"k-means on the raw input reaches {name} of {raw[key]:.3f}, {scores['method']} {scores['fit'][key]:.3f}."


def _count(n: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is one."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
