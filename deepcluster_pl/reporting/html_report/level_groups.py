"""Facts about the levels of a partition, from which the page regroups itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.evaluation.levels import Level, Levels
from deepcluster_pl.evaluation.predictions import Prediction
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.reporting.cells import cell_colors, part_titles
from deepcluster_pl.reporting.html_report.cards import Card, make_cards

_MOST_FINE_CARDS, _CENTRAL, _MOST_NAMED = 60, 6, 6


def level_facts(levels: Levels, colors: Sequence[str], names: Sequence[str] | None) -> dict[str, Any] | None:
    """Return the levels for the script of a page; None where only the chosen one is there.

    Args:
        levels: of the run.
        colors: one for each of the K clusters.
        names: suggested name of each cluster; None where there are none.

    Returns:
        `chosen`, the place of the level that is shown first, and `levels`: `name`, `kind`, `group_of_cell` and
        `groups` of each. A group has `title`, `short`, `size`, `color`, and the `clusters` it holds or is a part of.
    """
    if len(levels.offered) < 2:
        return None
    shades = cell_colors(levels.cluster_of_cell, colors)
    return {
        "chosen": levels.chosen,
        "cluster_of_cell": levels.cluster_of_cell.tolist(),
        "levels": [
            {
                "name": level.name, "kind": level.kind, "group_of_cell": level.group_of_cell.tolist(),
                "groups": [
                    _group(levels, level, number, colors, shades, names) for number in range(len(level.sizes))
                ],
            }
            for level in levels.offered
        ],
    }  # fmt: skip


def describe_levels(levels: Levels) -> str:
    """Return a sentence on what each level that is offered does."""
    kinds = [level.kind for level in levels.offered]
    sentences = []
    if "coarse" in kinds:
        sentences.append("Coarse joins the groups whose samples are each other's nearest neighbors most often.")
    if "fine" in kinds:
        sentences.append("Fine splits the groups that come apart by themselves; the others stay whole.")
    else:
        sentences.append("No group comes apart clearly enough to be split.")
    return " ".join(sentences)


def make_part_cards(
    data: ClusteringData, method: ClusteringModule, prediction: Prediction, levels: Levels, colors: Sequence[str],
    seed: int,
) -> list[Card]:  # fmt: skip
    """Return a card for each part of a cluster that the finest level splits, numbered by its cell.

    Args:
        data: its fitted part is shown.
        method: the trained method.
        prediction: of the fitted part.
        levels: of the run.
        colors: one for each of the K clusters.
        seed: see `make_cards`.

    Returns:
        Cards with few samples; an empty list where no cluster is split, or too many are to be shown.
    """
    split = _split_cells(levels.cluster_of_cell)
    if not len(split) or len(split) > _MOST_FINE_CARDS:
        return []
    shades = cell_colors(levels.cluster_of_cell, colors)
    parts = replace(prediction, clusters=torch.from_numpy(levels.cells["fit"]))
    cards = make_cards(data, method, parts, shades, seed, has_centers=False)
    return [replace(card, central=card.central[:_CENTRAL], doubtful=[]) for card in cards if card.number in split]


def _split_cells(cluster_of_cell: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the cells that are not the whole of their cluster."""
    parts = np.bincount(cluster_of_cell) if len(cluster_of_cell) else np.zeros(0, dtype=np.int64)
    return np.flatnonzero(parts[cluster_of_cell] > 1) if len(parts) else parts


def _group(
    levels: Levels, level: Level, number: int, colors: Sequence[str], shades: Sequence[str], names: Sequence[str] | None
) -> dict[str, Any]:
    """Return what the page knows about a group of a level."""
    cells = np.flatnonzero(level.group_of_cell == number)
    clusters = np.unique(levels.cluster_of_cell[cells])
    if level.kind == "chosen":
        title, short, color = f"Cluster {number}", str(number), colors[number]
    elif level.kind == "fine":
        part = part_titles(levels.cluster_of_cell)[number]
        title, short, color = part, part.removeprefix("Cluster ").replace(", part ", "."), shades[number]
    else:
        chosen = levels.offered[levels.chosen].sizes
        color = colors[int(max(clusters, key=lambda k: chosen[k]))]
        listed = ", ".join(map(str, clusters[:_MOST_NAMED])) + (" …" if len(clusters) > _MOST_NAMED else "")
        title, short = f"{'Clusters' if len(clusters) > 1 else 'Cluster'} {listed}", listed
    if names and len(clusters):
        called = list(dict.fromkeys(names[k] for k in clusters if names[k]))
        title += f": {' · '.join(called[:3])}{' …' if len(called) > 3 else ''}" if called else ""
    return {
        "title": title[:300], "short": short, "size": level.sizes[number], "color": color,
        "clusters": clusters.tolist(),
    }  # fmt: skip
