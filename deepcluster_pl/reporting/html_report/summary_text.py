"""What a run came to, in sentences that need no glossary, and what to be careful about."""

from __future__ import annotations

from typing import Any

from deepcluster_pl.methods.initialization.n_clusters import ClusterNumberEstimate

_SMALL = 0.1


def summary(scores: dict[str, Any], n_doubtful: int) -> list[str]:
    """A few sentences: how many groups of which sizes, how sure, what ended the fit, how it compares.

    Args:
        scores: content of scores.json.
        n_doubtful: fitted samples that another cluster nearly has.
    """
    fit = scores["fit"]
    sizes = [size for size in fit["cluster_sizes"] if size]
    told = [
        f"{scores['method']} put {_many(fit['n'], 'sample')} of {scores['data']} into {_many(len(sizes), 'group')}. "
        f"The largest holds {max(sizes):,} ({max(sizes) / fit['n']:.0%}), the smallest {min(sizes):,}."
    ]
    if len(sizes) > 1:
        doubt = f"{_many(n_doubtful, 'sample')} ({n_doubtful / fit['n']:.0%}) could nearly as well be in another."
        told.append("All samples are clearly nearest to one group." if n_doubtful == 0 else doubt)
    told += [
        text
        for text in (_number(scores["n_clusters_found"]), _ended(scores), _labels(scores), _compared(scores))
        if text
    ]
    return told


def warnings(scores: dict[str, Any], n_doubtful: int, changed: float | None) -> list[str]:
    """What a reader should not overlook.

    Args:
        scores: content of scores.json.
        n_doubtful: fitted samples that another cluster nearly has.
        changed: share of samples that changed cluster between the last two looks; None where there were none.
    """
    fit, found = scores["fit"], []
    sizes = fit["cluster_sizes"]
    if fit["collapsed"]:
        found.append("The partition collapsed: hardly any cluster is left. Type a smaller fit.optimizer.lr.")
    elif fit["n_empty"]:
        found.append(
            f"{fit['n_empty']} of {scores['n_clusters']} clusters hold no sample. Type a smaller n_clusters, or "
            f"callbacks.target_refresh.reseed_empty=true."
        )
    if scores["n_clusters_found"] and ClusterNumberEstimate(**scores["n_clusters_found"]).is_faint:
        found.append("Halves of the data hardly agree more than they would without groups: there may be none.")
    small = [k for k, size in enumerate(sizes) if 0 < size < _SMALL * fit["n"] / scores["n_clusters"]]
    if small and fit["n"] >= 100:
        found.append(f"Very small: {'cluster' if len(small) == 1 else 'clusters'} {', '.join(map(str, small[:20]))}.")
    if scores["stopped"] in ("max_steps", "max_time") and changed is not None and changed > 0.01:
        found.append(
            f"Not settled: at the last look {changed:.1%} of the samples still changed their cluster. Type a larger "
            f"{'fit.max_steps' if scores['stopped'] == 'max_steps' else 'trainer.max_time'}."
        )
    if n_doubtful > fit["n"] / 3:
        found.append("More than a third of the samples could nearly as well be in another group.")
    start = (scores["start"] or {}).get("fit")
    if start and fit["silhouette"] is not None and start["silhouette"] is not None and scores["stopped"] != "none":
        lost = start["silhouette"] - fit["silhouette"]
        if lost > 0.05:
            found.append(
                f"The start's silhouette was better by {lost:.2f}: the fit made groups less compact in the input."
            )
    if fit["n"] < 10 * scores["n_clusters"]:
        found.append("Fewer than ten samples a cluster: another seed may give another answer.")
    return found


def _number(found: dict[str, Any] | None) -> str:
    """How the number of groups was found, where nobody typed it."""
    if not found:
        return ""
    number = ClusterNumberEstimate(**found)
    here, there = number.evidence(number.n_clusters)
    looked = (
        f"Of {number.candidates[0]} to {number.candidates[-1]} groups" if number.second else "No more were looked at"
    )
    then = f" Next comes {number.second}." if number.second else ""
    return (
        f"Nobody said how many groups there are. {looked}: halves of the data agree on {number.n_clusters} by "
        f"{here:.2f}, and would by {there:.2f} without groups.{then}"
    )


def _ended(scores: dict[str, Any]) -> str:
    if scores["stopped"] == "tol":
        return (
            f"Training stopped by itself after {_many(scores['steps'], 'step')}, as hardly a sample changed its group."
        )
    if scores["stopped"] == "max_steps":
        return f"Training took the {_many(scores['steps'], 'step')} that it was given."
    if scores["stopped"] == "max_time":
        return f"Training stopped after {_many(scores['steps'], 'step')}, as its time was over."
    return "Nothing was trained after the groups were found."


def _labels(scores: dict[str, Any]) -> str:
    acc = scores["fit"]["acc"]
    if acc is None:
        return "No labels were given, so nobody can say how right this is; the scores below only measure its shape."
    held = (scores["holdout"] or {}).get("acc")
    more = f", and {held:.1%} of the held-out samples" if held is not None else ""
    right = f"With each group named after its best label, {acc:.1%} of the labeled samples are right{more}."
    return f"{right} Labels only score; training never saw them."


def _compared(scores: dict[str, Any]) -> str:
    name, words = ("acc", "accuracy") if scores["fit"]["acc"] is not None else ("silhouette", "silhouette")
    raw = (scores["baselines"]["kmeans_raw"] or {}).get("fit")
    if raw is None or raw[name] is None or scores["fit"][name] is None:
        return ""
    return f"k-means on the raw input reaches {words} {raw[name]:.3f}, {scores['method']} {scores['fit'][name]:.3f}."


def _many(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
