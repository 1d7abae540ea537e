"""Compare the numbers of clusters that a sweep tried, by three criteria that read no label.

- The silhouette of the input: are the groups compact and apart?
- The BIC of one Gaussian for each cluster, on the pretrained embeddings: is another cluster worth its parameters?
- The stability, the mean adjusted Rand index of the partitions of every two seeds: do all seeds give one answer?
"""

from __future__ import annotations

import csv
import itertools
import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from omegaconf import OmegaConf
from sklearn.metrics import adjusted_rand_score

from deepcluster_pl.runs.saved_scores import read_scores
from deepcluster_pl.runs.sweep_table import render_table

_SIGNS = {"silhouette": 1, "bic": -1, "stability": 1}
"""Criteria: 1 if larger is better, -1 if smaller is better."""
_FORMATS = {"silhouette": "{:.3f}", "bic": "{:.0f}", "stability": "{:.3f}"}


@dataclass(frozen=True)
class Candidate:
    """A number of clusters and its criteria: means over seeds, None where unknown.

    Attributes:
        n_clusters: K.
        n_runs: number of seeds.
        silhouette: silhouette of the input; larger is better.
        bic: BIC on the pretrained embeddings; smaller is better.
        stability: mean ARI of every two seeds; larger is better.
    """

    n_clusters: int
    n_runs: int
    silhouette: float | None
    bic: float | None
    stability: float | None


def read_candidates(folder: Path) -> dict[str, list[Candidate]]:
    """Read the numbers of clusters that a sweep tried.

    Args:
        folder: the sweep's folder.

    Returns:
        Candidates in ascending order, by recipe: the overrides other than seed and n_clusters. A recipe with a single
        number of clusters is left out.
    """
    jobs: dict[str, dict[int, list[Path]]] = {}
    for file in sorted(folder.rglob("config/overrides.yaml")):
        job = file.parent.parent
        if (job / "scores.json").is_file():
            scores = read_scores(job)
            if scores.get("n_clusters_found"):
                continue  # n_clusters=auto: the sweep did not choose this number
            typed = [str(text) for text in OmegaConf.load(file)]
            name = " ".join(text for text in typed if not text.startswith(("seed=", "n_clusters="))) or "defaults"
            jobs.setdefault(name, {}).setdefault(int(scores["n_clusters"]), []).append(job)
    return {
        name: [_candidate(k, jobs_of_k) for k, jobs_of_k in sorted(by_k.items())]
        for name, by_k in jobs.items()
        if len(by_k) > 1
    }


def comparison(recipes: dict[str, list[Candidate]]) -> str:
    """Return a table and advice for each recipe, as text."""
    parts = []
    for name, candidates in recipes.items():
        best = preferences(candidates)
        rows = [["n_clusters", "runs", "silhouette", "BIC", "stability"]]
        for candidate in candidates:
            k = candidate.n_clusters
            cells = [_cell(getattr(candidate, key), form, best.get(key) == k) for key, form in _FORMATS.items()]
            rows.append([str(k), str(candidate.n_runs), *cells])
        parts.append(f"{name}\n{render_table(rows, 'text')}{advice(candidates)}\n")
    return "\n".join(parts)


def preferences(candidates: list[Candidate]) -> dict[str, int]:
    """Return the number of clusters that each criterion prefers; the largest of equally good ones."""
    best = {}
    for name, sign in _SIGNS.items():
        known = [(sign * value, each.n_clusters) for each in candidates if (value := getattr(each, name)) is not None]
        if known:
            best[name] = max(known)[1]
    return best


def advice(candidates: list[Candidate]) -> str:
    """Return the number of clusters that most criteria prefer, and how far they agree.

    >>> advice([Candidate(2, 3, 0.5, 90.0, 0.7), Candidate(3, 3, 0.6, 80.0, 0.9), Candidate(4, 3, 0.4, 85.0, 0.5)])
    'n_clusters=3: all three criteria prefer it'
    """
    best = preferences(candidates)
    if not best:
        return "no advice: no run was scored"
    # Of equally preferred numbers, the one with the best mean rank
    ranks = _mean_ranks(candidates)
    counts = Counter(best.values())
    top = max(counts.values())
    k = min((k for k, count in counts.items() if count == top), key=lambda k: (ranks[k], k))
    if top == len(_SIGNS):
        text = "all three criteria prefer it"
    else:
        named = ", ".join(f"{'BIC' if name == 'bic' else name} prefers {value}" for name, value in best.items())
        text = f"{named}; {'look at both' if len(counts) == 2 else 'the data gives no clear answer'}"
    largest = max(candidate.n_clusters for candidate in candidates)
    if largest in best.values():
        text += f"; {largest} is the largest number tried: try more"
    return f"n_clusters={k}: {text}"


def _mean_ranks(candidates: list[Candidate]) -> dict[int, float]:
    """Return the mean rank of each number over the criteria; 0 is the best, an unknown value comes last."""
    ranks: dict[int, list[int]] = {candidate.n_clusters: [] for candidate in candidates}
    for name, sign in _SIGNS.items():
        values = {each.n_clusters: getattr(each, name) for each in candidates}
        order = sorted(values, key=lambda k: float("inf") if values[k] is None else -sign * values[k])
        for rank, k in enumerate(order):
            ranks[k].append(rank)
    return {k: statistics.mean(ranks_of_k) for k, ranks_of_k in ranks.items()}


def _candidate(k: int, jobs: list[Path]) -> Candidate:
    """Return one number of clusters, with its criteria read from the folders of its jobs."""
    scores = [read_scores(job)["fit"] for job in jobs]
    partitions = [_clusters(job) for job in jobs]
    agreements = [_agreement(first, second) for first, second in itertools.combinations(partitions, 2)]
    silhouette, bic = (_mean(block.get(name) for block in scores) for name in ("silhouette", "bic"))
    return Candidate(k, len(jobs), silhouette, bic, _mean(agreements))


def _clusters(job: Path) -> dict[str, str]:
    """Return the cluster of each fitted sample by its id."""
    with (job / "assignments.csv").open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return {row["id"]: row["cluster"] for row in csv.DictReader(file) if row["part"] == "fit"}


def _agreement(first: dict[str, str], second: dict[str, str]) -> float | None:
    """Return the ARI on the samples that both seeds fitted; None if they share none."""
    shared = [name for name in first if name in second]
    if not shared:
        return None
    return float(adjusted_rand_score([first[name] for name in shared], [second[name] for name in shared]))


def _mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of the known values; None if none is known."""
    known = [value for value in values if value is not None]
    return statistics.mean(known) if known else None


def _cell(value: float | None, form: str, is_best: bool) -> str:
    """Return a cell of the table; a star marks the preferred number."""
    return "n/a" if value is None else f"{form.format(value)}{' *' if is_best else ''}"
