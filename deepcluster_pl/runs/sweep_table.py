"""Summarize the scores of a sweep as a table: mean ± standard deviation, minimum and maximum over the seeds.

A recipe is a job's overrides without its seed. The standard deviation is that of a sample (n - 1). If an experiment
states published values of a metric, a column shows them beside the scores.
"""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from deepcluster_pl.runs.saved_scores import read_scores

_STATISTICS = ("mean ± std", "min", "max")


@dataclass
class RecipeScores:
    """Scores of all jobs that differ in nothing but the seed.

    Attributes:
        seeds: seed of each finished job.
        failed: folder of each job without scores.
        values: values of each metric, one for each finished job that has it.
        published: published value of each metric, where the experiment states one.
        uses_labels: whether the recipe was chosen with labels.
    """

    seeds: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=dict)
    published: dict[str, float] = field(default_factory=dict)
    uses_labels: bool = False


def collect_scores(folder: Path, part: str, metrics: list[str]) -> dict[str, RecipeScores]:
    """Read the scores of every job below a folder.

    Args:
        folder: folder of a sweep, or of several runs.
        part: fit or holdout.
        metrics: keys of scores.json.

    Returns:
        Scores by recipe, in the order of the jobs.
    """
    recipes: dict[str, RecipeScores] = {}
    for file in sorted(folder.rglob("config/overrides.yaml"), key=lambda path: _job_order(path.parent.parent)):
        job = file.parent.parent
        overrides: Any = OmegaConf.to_container(OmegaConf.load(file))
        config: Any = OmegaConf.load(file.parent / "config.yaml")
        name = " ".join(text for text in overrides if not text.startswith("seed=")) or "defaults"
        recipe = recipes.setdefault(name, RecipeScores(values={metric: [] for metric in metrics}))
        recipe.uses_labels |= bool(config.objective.uses_labels)
        if not (job / "scores.json").is_file():
            recipe.failed.append(str(job))
            continue
        scores = read_scores(job)
        recipe.published = (scores.get("published") or {}).get(part, {})
        recipe.seeds.append(str(scores["seed"]))
        for metric in metrics:
            value = (scores.get(part) or {}).get(metric)
            if value is not None:
                recipe.values[metric].append(float(value))
    return recipes


def published_metrics(folder: Path, part: str) -> list[str]:
    """Return the metrics with a published value in the experiment of some job below a folder.

    Args:
        folder: folder of a sweep, or of several runs.
        part: fit or holdout.

    Returns:
        Keys of scores.json.
    """
    recipes = collect_scores(folder, part, [])
    return list(dict.fromkeys(metric for recipe in recipes.values() for metric in recipe.published))


def common_overrides(names: Iterable[str]) -> list[str]:
    """Return the overrides that all of several recipes have in common; none of a single recipe.

    >>> common_overrides(["data=wine method=dec", "data=wine method=idec"]), common_overrides(["data=wine"])
    (['data=wine'], [])
    """
    each = [name.split() for name in names]
    return [text for text in each[0] if all(text in other for other in each[1:])] if len(each) > 1 else []


def table_rows(recipes: dict[str, RecipeScores], brief: bool = False) -> Iterator[list[str]]:
    """Yield the header, and one row for each recipe.

    Args:
        recipes: scores by recipe; at least one.
        brief: leave out minimum and maximum, and the overrides that all recipes have in common.

    Yields:
        The cells of a row.
    """
    common = common_overrides(recipes) if brief else []
    kinds = _STATISTICS[:1] if brief else _STATISTICS
    metrics = list(next(iter(recipes.values())).values)
    compared = {metric for recipe in recipes.values() for metric in recipe.published}
    columns = {metric: [*kinds, "published"] if metric in compared else list(kinds) for metric in metrics}
    yield ["recipe", "runs", "failed", *(f"{metric} {kind}" for metric in metrics for kind in columns[metric])]
    for name, recipe in recipes.items():
        cells = []
        for metric in metrics:
            published = f"{recipe.published[metric]:g}" if metric in recipe.published else "n/a"
            summary = dict(zip(_STATISTICS, _summary(recipe.values[metric]), strict=True))
            cells += [summary.get(kind, published) for kind in columns[metric]]
        name = " ".join(text for text in name.split() if text not in common) or "defaults"
        title = f"{name} (chosen with labels)" if recipe.uses_labels else name
        yield [title, str(len(recipe.seeds)), str(len(recipe.failed)), *cells]


def render_table(rows: list[list[str]], style: str) -> str:
    """Return a table as text.

    Args:
        rows: cells of each row, the header first.
        style: text (aligned columns), markdown or csv.

    Returns:
        Lines, each with a line break at its end.
    """
    if style == "csv":
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(rows)
        return out.getvalue()
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    if style == "text":
        return "\n".join("  ".join(row).rstrip() for row in padded) + "\n"
    lines = ["| " + " | ".join(row) + " |" for row in padded]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines) + "\n"


def _summary(values: list[float]) -> list[str]:
    """Return the text of each statistic of a metric's values."""
    if not values:
        return ["n/a"] * len(_STATISTICS)
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return [f"{statistics.mean(values):.3f} ± {spread:.3f}", f"{min(values):.3f}", f"{max(values):.3f}"]


def _job_order(job: Path) -> tuple[str, int, str]:
    """Return a key that sorts job folders by their number, 10 after 9."""
    return (str(job.parent), int(job.name) if job.name.isdigit() else -1, job.name)
