"""Judge a run in plain words: the groups found, whether a simple method does better, and whether to trust them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

BASELINES = {
    "kmeans_raw": ("k-means on the input", "kmeans"), "kmeans_code": ("k-means on the embedding", "ae_kmeans"),
    "pca_gmm": ("a mixture on components", "pca_gmm"), "graph": ("a graph of neighbors", "graph"),
}  # fmt: skip
"""Name and recipe of each baseline, by its key in scores.json."""
_CLOSE = 0.01
_STABLE, _PARTLY = 0.8, 0.5
_MANY_DOUBTFUL, _FEW_DOUBTFUL = 1 / 3, 0.1
_EVENNESS = (("even", 0.75, 1.33), ("fairly even", 0.4, 2.0), ("uneven", 0.1, 6.0))
"""Words for sizes whose smallest and largest are no farther than this from the mean, as shares of it."""


@dataclass(frozen=True)
class Verdict:
    """Answers to the questions that a person has at the end of a run.

    Attributes:
        found: number of groups, their sizes, how even they are.
        compared: how they compare with simple methods, and with the start where that is the result.
        trust: how far they can be trusted, and what that is based on.
        level: `good`, `fair` or `poor`, for a color.
        better: recipe of a simple method that did better; None where none did.
    """

    found: str
    compared: str
    trust: str
    level: str
    better: str | None

    @property
    def sentences(self) -> list[str]:
        """Return the parts that say something, in order."""
        return [text for text in (self.found, self.compared, self.trust) if text]


def judge(scores: dict[str, Any], n_doubtful: int) -> Verdict:
    """Return the verdict on a run.

    Args:
        scores: content of scores.json.
        n_doubtful: fitted samples that nearly belong to another cluster.
    """
    has_labels = scores["fit"]["acc"] is not None
    compared, better = _with_labels(scores) if has_labels else _without_labels(scores)
    trust, level = _trust_by_labels(scores) if has_labels else _trust_without_labels(scores, n_doubtful)
    if scores["fit"]["collapsed"] or (better and level == "good"):
        level = "poor" if scores["fit"]["collapsed"] else "fair"
    return Verdict(_found(scores), " ".join(filter(None, [_kept(scores), compared])), trust, level, better)


def _found(scores: dict[str, Any]) -> str:
    """Return the number of groups, their sizes, and how even they are."""
    outliers = scores.get("outliers")
    fit = (outliers and outliers["fit"]) or scores["fit"]
    sizes = [size for size in fit["cluster_sizes"] if size]
    if not sizes:
        return "Found no group."
    if len(sizes) == 1:
        return f"All {sizes[0]:,} samples are in one group: nothing was separated.{_outside(outliers)}"
    least, most = min(sizes), max(sizes)
    spread = f"of {least:,} samples each" if least == most else f"of {least:,} to {most:,} samples"
    empty = len(fit["cluster_sizes"]) - len(sizes)
    left = f"; {empty} more {'is' if empty == 1 else 'are'} empty" if empty else ""
    return f"Found {len(sizes)} groups {spread}: sizes are {_evenness(sizes)}{left}.{_outside(outliers)}"


def _outside(outliers: dict[str, Any] | None) -> str:
    """Return how many samples are in no group, after a space; nothing without any.

    >>> _outside({"number": 87, "share": 0.048, "emptied": []})
    ' 87 samples (4.8 %) are in no group.'
    """
    if not outliers or not outliers["number"]:
        return ""
    number, is_one = outliers["number"], outliers["number"] == 1
    noun, verb = ("sample", "is") if is_one else ("samples", "are")
    text = f" {number:,} {noun} ({100 * outliers['share']:.1f} %) {verb} in no group."
    n_emptied = len(outliers["emptied"])
    if not n_emptied:
        return text
    groups = "a group, which is" if n_emptied == 1 else f"{n_emptied} groups, which are"
    return f"{text} They had filled {groups} empty now."


def _evenness(sizes: list[int]) -> str:
    """Return how even sizes are: by the smallest and the largest, beside the mean.

    >>> _evenness([50, 50]), _evenness([70, 30]), _evenness([85, 15]), _evenness([99, 1])
    ('even', 'fairly even', 'uneven', 'very uneven')
    """
    mean = sum(sizes) / len(sizes)
    least, most = min(sizes) / mean, max(sizes) / mean
    for word, lower, upper in _EVENNESS:
        if least >= lower and most <= upper:
            return word
    return "very uneven"


def _kept(scores: dict[str, Any]) -> str:
    """Return that the fit was worse, where its start took its place; a student may have learned that one."""
    if scores.get("kept") != "start":
        return ""
    if scores.get("teacher"):
        return "Training made the groups worse, so it was undone, and a student learned the groups from before it."
    return "Training made the groups worse, so it was undone: these are the groups from before it."


def _is_chosen(scores: dict[str, Any], recipe: str | None) -> bool:
    """Return whether method=auto chose a simple method itself, so that the result is that method's."""
    choice = scores.get("choice")
    return choice is not None and recipe is not None and choice["name"] == recipe


def _with_labels(scores: dict[str, Any]) -> tuple[str, str | None]:
    """Return the comparison with the best baseline by NMI and ARI, and its recipe where both prefer it."""
    rivals = {
        key: block["fit"] for key, block in scores["baselines"].items()
        if key != "protocol" and block and block["fit"] and block["fit"]["nmi"] is not None
    }  # fmt: skip
    if not rivals:
        return "", None
    own = scores["fit"]
    key = max(rivals, key=lambda name: rivals[name]["nmi"] + rivals[name]["ari"])
    best, (name, recipe) = rivals[key], _names(key)
    numbers = f"NMI {best['nmi']:.3f} and ARI {best['ari']:.3f}, this result {own['nmi']:.3f} and {own['ari']:.3f}"
    numbers += " (1 is perfect)"
    if _is_chosen(scores, recipe):
        kind = f"NMI {own['nmi']:.3f} and ARI {own['ari']:.3f}"
        return f"A simple method was chosen, and it is the best of them: {name} ({kind}; 1 is perfect).", None
    ahead = (own["nmi"] - best["nmi"], own["ari"] - best["ari"])
    if min(ahead) < -_CLOSE and max(ahead) <= _CLOSE:
        waste = "" if scores["stopped"] == "none" else " The training was not worth its time."
        return f"A simple method did better: {name} has {numbers}.{waste}", recipe
    if max(ahead) > _CLOSE and min(ahead) >= -_CLOSE:
        return f"Better than every simple method that was tried: the best of them, {name}, has {numbers}.", None
    return f"About as good as the best simple method: {name} has {numbers}.", None


def _without_labels(scores: dict[str, Any]) -> tuple[str, str | None]:
    """Return the comparison with the baseline that says most about neighbors, and its recipe where it is better."""
    rows = (scores.get("criteria") or {}).get("rows", {})
    rivals = {key: row for key, row in rows.items() if key not in ("method", "start") and not row["collapsed"]}
    if not rivals:
        return "", None
    key, own = min(rivals, key=lambda name: rivals[name]["gap"]), rows["method"]
    name, recipe = _names(key)
    if _is_chosen(scores, recipe):
        return f"A simple method was chosen: these are the groups of {name}.", None
    # One of the two is usually the best row, so the larger error is that of their difference
    ahead, error = rivals[key]["gap"] - own["gap"], max(own["gap_error"], rivals[key]["gap_error"], 1e-9)
    if ahead < -error:
        return f"A simple method looks better: the groups of {name} fit neighboring samples better.", recipe
    if ahead > error:
        return f"It looks better than every simple method that was tried; the best of them is {name}.", None
    return f"It looks as good as the best simple method, {name}.", None


def _trust_by_labels(scores: dict[str, Any]) -> tuple[str, str]:
    """Return how far labels agree, those of held-out samples where there are some, and the level."""
    held_out = scores["holdout"] is not None and scores["holdout"]["acc"] is not None
    block, kind = (scores["holdout"], "held-out") if held_out else (scores["fit"], "labeled")
    acc, nmi = block["acc"], block["nmi"]
    level = "good" if nmi >= _STABLE else "fair" if nmi >= _PARTLY else "poor"
    words = {"good": "agree with", "fair": "agree in part with", "poor": "have little to do with"}[level]
    return (
        f"The groups {words} the labels: {acc:.0%} of the {kind} samples match (ACC {acc:.3f}, NMI {nmi:.3f}).",
        level,
    )


def _trust_without_labels(scores: dict[str, Any], n_doubtful: int) -> tuple[str, str]:
    """Return the evidence for the groups where nobody knows the right ones, and the level."""
    doubtful = n_doubtful / scores["fit"]["n"]
    doubt = f"{doubtful:.0%} of the samples could as well be in another group"
    doubt = doubt if n_doubtful else "no sample could as well be in another group"
    together, agreement = scores["criteria"]["rows"]["method"]["together"], scores["criteria"]["agreement"]
    facts = [f"{together:.0%} of the nearest neighbors are in the same group"]
    if agreement is not None:
        kind = "nearly the same" if agreement >= _STABLE else "partly the same" if agreement >= _PARTLY else "other"
        facts.append(f"simple methods find {kind} groups (agreement {agreement:.2f} of 1)")
    facts.append(doubt)
    # The weakest of the three decides
    steady = min(together, 1.0 if agreement is None else agreement)
    if steady >= _STABLE and doubtful <= _FEW_DOUBTFUL:
        level, advice = "good", "These groups are steady"
    elif steady < _PARTLY or doubtful > _MANY_DOUBTFUL:
        level, advice = "poor", "Do not rely on these groups before you have looked at them"
    else:
        level, advice = "fair", "Look at these groups before you rely on them"
    return f"{advice}: {', '.join(facts[:-1])}, and {facts[-1]}.", level


def _names(key: str) -> tuple[str, str | None]:
    """Return the name of a baseline and its recipe; for one unknown here, its key and no recipe."""
    return BASELINES.get(key, (key.replace("_", " "), None))
