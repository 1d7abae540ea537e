"""Labels against clusters, with the columns in the order that accuracy pairs them."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from deepcluster_pl.functional import contingency

_MOST_NUMBERS = 20


def paired_columns(table: NDArray[np.int64]) -> NDArray[np.int64]:
    """Column order of counts (L, K) that puts the best one-to-one pairing on the diagonal, unpaired columns last.

    >>> paired_columns(np.array([[0, 5], [7, 1]])).tolist()
    [1, 0]
    """
    pairing: Any = linear_sum_assignment(table, maximize=True)
    paired = np.asarray(pairing[1])
    return np.concatenate([paired, np.setdiff1d(np.arange(table.shape[1]), paired)])


def confusion_matrix(labels: NDArray[Any], clusters: NDArray[np.int64], title: str) -> Figure:
    """One row a label, shaded by share of the row; the counts are written in where there is room for them."""
    table = contingency(labels, clusters)
    order = paired_columns(table)
    names, numbers = np.unique(labels), np.unique(clusters)[order]
    table = table[:, order]
    shares = table / table.sum(axis=1, keepdims=True)
    figure = Figure(figsize=(6, 6), dpi=120, layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    if max(table.shape) <= _MOST_NUMBERS:
        axes.set_xticks(range(len(numbers)), [str(number) for number in numbers])
        axes.set_yticks(range(len(names)), [str(name)[:20] for name in names])
        for (row, column), count in np.ndenumerate(table):
            if count:
                color = "white" if shares[row, column] > 0.5 else "black"
                axes.text(column, row, str(count), ha="center", va="center", fontsize=7, color=color)
    axes.set(xlabel="cluster", ylabel="label", title=f"{title}: labels and clusters")
    return figure
