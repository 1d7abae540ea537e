"""Draw the counts of labels in clusters."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from deepcluster_pl.reporting.confusion import Confusion
from deepcluster_pl.reporting.printable import printable

_MOST_WITH_NUMBERS = 20


def draw_confusion(confusion: Confusion, title: str) -> Figure:
    """Draw one row for each label, shaded by the share of its samples in each cluster.

    Counts are written into the cells where there are at most 20 rows and columns.

    Args:
        confusion: the counts.
        title: names the samples.
    """
    labels, clusters, counts, shares = confusion.labels, confusion.clusters, confusion.counts, confusion.shares
    figure = Figure(figsize=(6, 6), dpi=120, layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    if max(counts.shape) <= _MOST_WITH_NUMBERS:
        axes.set_xticks(range(len(clusters)), [str(cluster) if cluster >= 0 else "none" for cluster in clusters])
        names = [printable(label, 20) for label in labels]
        axes.set_yticks(range(len(labels)), names, parse_math=False)  # a $ is a $
        for (row, column), count in np.ndenumerate(counts):
            if count:
                color = "white" if shares[row, column] > 0.5 else "black"
                axes.text(column, row, str(count), ha="center", va="center", fontsize=7, color=color)
    axes.set(xlabel="cluster", ylabel="label", title=f"{title}: labels and clusters")
    return figure
