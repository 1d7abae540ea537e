"""Collect a sweep's scores into one table: mean ± std, min and max over seeds of every recipe.

A recipe is a job's overrides without its seed. The standard deviation is the sample's (n - 1). Where an experiment
states what others published for a metric, a column shows it beside ours.
"""

from __future__ import annotations

import csv
import io
import json
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf


@dataclass
class Recipe:
    """All jobs that differ in nothing but the seed."""

    seeds: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=dict)
    published: dict[str, float] = field(default_factory=dict)
    uses_labels: bool = False


def collect(folder: Path, part: str, metrics: list[str]) -> dict[str, Recipe]:
    """Read every job below a folder, by recipe."""
    recipes: dict[str, Recipe] = {}
    for file in sorted(folder.rglob("config/overrides.yaml"), key=lambda path: _natural(path.parent.parent)):
        job = file.parent.parent
        overrides: Any = OmegaConf.to_container(OmegaConf.load(file))
        config: Any = OmegaConf.load(file.parent / "config.yaml")
        name = " ".join(text for text in overrides if not text.startswith("seed=")) or "defaults"
        recipe = recipes.setdefault(name, Recipe(values={metric: [] for metric in metrics}))
        recipe.uses_labels |= bool(config.objective.uses_labels)
        if not (job / "scores.json").is_file():
            recipe.failed.append(str(job))
            continue
        scores = json.loads((job / "scores.json").read_text(encoding="utf-8"))
        recipe.published = (scores.get("published") or {}).get(part, {})
        recipe.seeds.append(str(scores["seed"]))
        for metric in metrics:
            value = (scores[part] or {}).get(metric)
            if value is not None:
                recipe.values[metric].append(float(value))
    return recipes


def published_metrics(folder: Path, part: str) -> list[str]:
    """Metrics that the experiment of some job below a folder states published values of."""
    recipes = collect(folder, part, [])
    return list(dict.fromkeys(metric for recipe in recipes.values() for metric in recipe.published))


def shared(names: Iterable[str]) -> list[str]:
    """Overrides that all of several recipes have in common.

    >>> shared(["data=wine method=dec", "data=wine method=idec"]), shared(["data=wine"])
    (['data=wine'], [])
    """
    each = [name.split() for name in names]
    return [text for text in each[0] if all(text in other for other in each[1:])] if len(each) > 1 else []


def rows(recipes: dict[str, Recipe], brief: bool = False) -> Iterator[list[str]]:
    """Header and one line per recipe; the brief table leaves out the extremes, and what all recipes have in common."""
    common = shared(recipes) if brief else []
    kinds = ("mean ± std",) if brief else ("mean ± std", "min", "max")
    metrics = list(next(iter(recipes.values())).values)
    compared = {metric for recipe in recipes.values() for metric in recipe.published}
    columns = {metric: [*kinds, "published"] if metric in compared else list(kinds) for metric in metrics}
    yield ["recipe", "runs", "failed", *(f"{metric} {kind}" for metric in metrics for kind in columns[metric])]
    for name, recipe in recipes.items():
        cells = []
        for metric in metrics:
            theirs = f"{recipe.published[metric]:g}" if metric in recipe.published else "n/a"
            ours = dict(zip(("mean ± std", "min", "max"), _summary(recipe.values[metric]), strict=True))
            cells += [ours.get(kind, theirs) for kind in columns[metric]]
        name = " ".join(text for text in name.split() if text not in common) or "defaults"
        title = f"{name} (chosen with labels)" if recipe.uses_labels else name
        yield [title, str(len(recipe.seeds)), str(len(recipe.failed)), *cells]


def render(table: list[list[str]], style: str) -> str:
    """The table as aligned text, Markdown or CSV."""
    if style == "csv":
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(table)
        return out.getvalue()
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in table]
    if style == "text":
        return "\n".join("  ".join(row).rstrip() for row in padded) + "\n"
    lines = ["| " + " | ".join(row) + " |" for row in padded]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines) + "\n"


def _summary(values: list[float]) -> list[str]:
    if not values:
        return ["n/a", "n/a", "n/a"]
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return [f"{statistics.mean(values):.3f} ± {spread:.3f}", f"{min(values):.3f}", f"{max(values):.3f}"]


def _natural(path: Path) -> tuple[str, int, str]:
    return (str(path.parent), int(path.name) if path.name.isdigit() else -1, path.name)
