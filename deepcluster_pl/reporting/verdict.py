"""Judge a run in plain words: the groups found, whether a simple method does better, and whether to trust them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deepcluster_pl.evaluation.candidate_choice import is_as_good
from deepcluster_pl.reporting.sizes_in_words import found_groups

BASELINES = {
    "kmeans_raw": ("k-means on the input", "kmeans"), "kmeans_code": ("k-means on the embedding", "ae_kmeans"),
    "pca_gmm": ("a mixture on components", "pca_gmm"), "graph": ("a graph of neighbors", "graph"),
}  # fmt: skip
"""Name and recipe of each baseline, by its key in scores.json."""
_CLOSE = 0.01
_STABLE, _PARTLY = 0.8, 0.5
_MANY_DOUBTFUL, _FEW_DOUBTFUL = 1 / 3, 0.1


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
    return Verdict(found_groups(scores), " ".join(filter(None, [_kept(scores), compared])), trust, level, better)


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
    if scores.get("choice"):
        return _of_choice(scores), None
    rivals = {key: row for key, row in rows.items() if key not in ("method", "start") and not row["collapsed"]}
    if not rivals:
        return "", None
    key, own = min(rivals, key=lambda name: rivals[name]["gap"]), rows["method"]
    name, recipe = _names(key)
    # One of the two is usually the best row, so the larger error is that of their difference
    ahead, error = rivals[key]["gap"] - own["gap"], max(own["gap_error"], rivals[key]["gap_error"], 1e-9)
    alike, larger_error = rivals[key].get("alike", 0.0), rivals[key].get("error", 0.0)
    if ahead < -error and not is_as_good(alike, -ahead, larger_error):
        return f"A simple method looks better: the groups of {name} fit neighboring samples better.", recipe
    if ahead > error:
        return f"It looks better than every simple method that was tried; the best of them is {name}.", None
    return f"It looks as good as the best simple method, {name}.", None


def _of_choice(scores: dict[str, Any]) -> str:
    """Return what the choice of method=auto was based on, and which candidate it passed over for what reason."""
    chosen = scores["choice"]["name"]
    candidates = {row["name"]: row for row in scores.get("candidates") or []}
    teacher = candidates.get(chosen, {}).get("teacher")
    judged = {name: row for name, row in candidates.items() if row["share"] is not None and not row["collapsed"]}
    recipes = {recipe: name for name, recipe in BASELINES.values()}
    if chosen in recipes:
        text = f"A simple method was chosen: these are the groups of {recipes[chosen]}."
    elif teacher:
        text = f"A student was chosen: it learned the groups of the best candidate, {recipes.get(teacher, teacher)}."
    else:
        text = f"{chosen} was chosen of {len(judged)} candidates: neighbors and the others agree with it most."
    # Another may have more information, and yet not be the one to use
    own = judged.get(teacher or chosen)
    best = max(judged, key=lambda name: judged[name]["share"], default=chosen)
    if own is None or best in (chosen, teacher) or judged[best]["share"] <= own["share"]:
        return text
    rival = f"Those of {recipes.get(best, best)} fit neighboring samples a little better"
    if judged[best]["score"] > own["score"]:
        return f"{text} {rival}, but are nearly the same and less simple."
    return f"{text} {rival}, but the other candidates agree less with them."


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
