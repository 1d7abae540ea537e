"""Colors and titles of the finest cells of a partition."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def cell_colors(cluster_of_cell: NDArray[np.int64], colors: Sequence[str]) -> list[str]:
    """Return a color (C,) for each cell: that of its cluster, lighter or darker from part to part.

    >>> cell_colors(np.array([0, 0, 1]), ["#4477aa", "#ee6677"])
    ['#4477aa', '#9bb9d7', '#ee6677']
    """
    shades: list[str] = []
    seen: dict[int, int] = {}
    for cluster in cluster_of_cell.tolist():
        seen[cluster] = seen.get(cluster, -1) + 1
        red, green, blue = (int(colors[cluster][i : i + 2], 16) / 255 for i in (1, 3, 5))
        hue, light, strength = colorsys.rgb_to_hls(red, green, blue)
        light = (light, light + 0.6 * (0.9 - light), 0.62 * light, light + 0.3 * (0.9 - light))[seen[cluster] % 4]
        parts = colorsys.hls_to_rgb(hue, light, strength) if seen[cluster] else (red, green, blue)
        shades.append("#" + "".join(f"{round(255 * part):02x}" for part in parts))
    return shades


def part_titles(cluster_of_cell: NDArray[np.int64]) -> dict[int, str]:
    """Return the title of each cell, such as `Cluster 3, part 1`, or `Cluster 3` where it is the whole."""
    titles, parts = {}, np.bincount(cluster_of_cell)
    for cell, cluster in enumerate(cluster_of_cell.tolist()):
        before = int((cluster_of_cell[:cell] == cluster).sum())
        titles[cell] = f"Cluster {cluster}" + (f", part {before + 1}" if parts[cluster] > 1 else "")
    return titles
