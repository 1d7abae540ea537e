"""Compare the numbers of clusters that a sweep tried, by three criteria that read no label.

The silhouette of the input asks whether groups are compact and apart. The BIC of one Gaussian a cluster, on the
pretrained embeddings, asks whether another cluster pays for its parameters. The stability, the mean adjusted Rand
index of the partitions of every two seeds, asks whether the answer is the same when asked again.
"""

from __future__ import annotations

import csv
import itertools
import json
import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from omegaconf import OmegaConf
from sklearn.metrics import adjusted_rand_score

from deepcluster_pl.runs.sweep_table import render

_SIGNS = {"silhouette": 1, "bic": -1, "stability": 1}
"""Criteria, and whether more is better."""
_FORMS = {"silhouette": "{:.3f}", "bic": "{:.0f}", "stability": "{:.3f}"}


@dataclass(frozen=True)
class Case:
    """What speaks for one number of clusters; means over seeds, None where unknown.

    Attributes:
        n_clusters: K.
        n_runs: seeds.
        silhouette: of the input; the larger the better.
        bic: on the pretrained code; the smaller the better.
        stability: mean ARI of every two seeds; the larger the better.
    """

    n_clusters: int
    n_runs: int
    silhouette: float | None
    bic: float | None
    stability: float | None


def cases(folder: Path) -> dict[str, list[Case]]:
    """Every number of clusters that a sweep tried, by what else was typed; only where there are at least two."""
    recipes: dict[str, dict[int, list[Path]]] = {}
    for file in sorted(folder.rglob("config/overrides.yaml")):
        job = file.parent.parent
        if (job / "scores.json").is_file():
            scores = json.loads((job / "scores.json").read_text(encoding="utf-8"))
            if scores.get("n_clusters_found"):
                continue  # n_clusters=auto: no number that a sweep tried
            typed = [str(text) for text in OmegaConf.load(file)]
            name = " ".join(text for text in typed if not text.startswith(("seed=", "n_clusters="))) or "defaults"
            recipes.setdefault(name, {}).setdefault(int(scores["n_clusters"]), []).append(job)
    return {
        name: [_case(k, jobs) for k, jobs in sorted(by_k.items())] for name, by_k in recipes.items() if len(by_k) > 1
    }


def report(recipes: dict[str, list[Case]]) -> str:
    """A table and a piece of advice for each recipe."""
    parts = []
    for name, found in recipes.items():
        best = votes(found)
        lines = [["n_clusters", "runs", "silhouette", "BIC", "stability"]]
        for case in found:
            cells = [_text(getattr(case, key), form, best.get(key) == case.n_clusters) for key, form in _FORMS.items()]
            lines.append([str(case.n_clusters), str(case.n_runs), *cells])
        parts.append(f"{name}\n{render(lines, 'text')}{advice(found)}\n")
    return "\n".join(parts)


def votes(found: list[Case]) -> dict[str, int]:
    """The number that each criterion prefers; of equals the largest, which says the most about the data."""
    best = {}
    for name, sign in _SIGNS.items():
        known = [(sign * value, case.n_clusters) for case in found if (value := getattr(case, name)) is not None]
        if known:
            best[name] = max(known)[1]
    return best


def advice(found: list[Case]) -> str:
    """One number, and how far to trust it.

    >>> advice([Case(2, 3, 0.5, 90.0, 0.7), Case(3, 3, 0.6, 80.0, 0.9), Case(4, 3, 0.4, 85.0, 0.5)])
    'n_clusters=3: all three criteria prefer it'
    """
    best = votes(found)
    if not best:
        return "no advice: no run was scored"
    ranks = _mean_ranks(found)
    counts = Counter(best.values())
    top = max(counts.values())
    k = min((k for k, count in counts.items() if count == top), key=lambda k: (ranks[k], k))
    if top == len(_SIGNS):
        text = "all three criteria prefer it"
    else:
        named = ", ".join(f"{'BIC' if name == 'bic' else name} prefers {value}" for name, value in best.items())
        text = f"{named}; {'look at both' if len(counts) == 2 else 'the data does not say clearly'}"
    edge = max(case.n_clusters for case in found)
    if edge in best.values():
        text += f"; {edge} is the largest number tried: try more"
    return f"n_clusters={k}: {text}"


def _mean_ranks(found: list[Case]) -> dict[int, float]:
    """Mean place of each number over the criteria, 0 being the best; what is unknown comes last."""
    ranks: dict[int, list[int]] = {case.n_clusters: [] for case in found}
    for name, sign in (("silhouette", -1), ("bic", 1), ("stability", -1)):
        order = sorted(
            found, key=lambda case: float("inf") if getattr(case, name) is None else sign * getattr(case, name)
        )
        for place, case in enumerate(order):
            ranks[case.n_clusters].append(place)
    return {k: statistics.mean(places) for k, places in ranks.items()}


def _case(k: int, jobs: list[Path]) -> Case:
    blocks = [json.loads((job / "scores.json").read_text(encoding="utf-8"))["fit"] for job in jobs]
    partitions = [_clusters(job) for job in jobs]
    agreements = [_agreement(one, other) for one, other in itertools.combinations(partitions, 2)]
    return Case(
        k, len(jobs), _mean(block.get("silhouette") for block in blocks), _mean(block.get("bic") for block in blocks),
        _mean(agreements),
    )  # fmt: skip


def _clusters(job: Path) -> dict[str, str]:
    """Cluster of each fitted sample by its id."""
    with (job / "assignments.csv").open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return {row["id"]: row["cluster"] for row in csv.DictReader(file) if row["part"] == "fit"}


def _agreement(one: dict[str, str], other: dict[str, str]) -> float | None:
    """ARI on the samples that both seeds fitted; None where they share none."""
    shared = [name for name in one if name in other]
    if not shared:
        return None
    return float(adjusted_rand_score([one[name] for name in shared], [other[name] for name in shared]))


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.mean(known) if known else None


def _text(value: float | None, form: str, is_best: bool) -> str:
    return "n/a" if value is None else f"{form.format(value)}{' *' if is_best else ''}"
