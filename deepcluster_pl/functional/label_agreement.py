"""How well found clusters agree with known labels; labels score, they never train."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment


def contingency(labels: ArrayLike, clusters: ArrayLike) -> NDArray[np.int64]:
    """Counts (number of distinct labels, number of distinct clusters), both in sorted order.

    >>> contingency(["a", "a", "b"], [5, 5, 7]).tolist()
    [[2, 0], [0, 1]]
    """
    label_names, rows = np.unique(np.asarray(labels), return_inverse=True)
    cluster_names, columns = np.unique(np.asarray(clusters), return_inverse=True)
    table = np.zeros((len(label_names), len(cluster_names)), dtype=np.int64)
    np.add.at(table, (rows.ravel(), columns.ravel()), 1)
    return table


def clustering_accuracy(labels: ArrayLike, clusters: ArrayLike) -> float:
    """Share of samples that match their label under the best one-to-one pairing of clusters and labels.

    ACC of the deep clustering papers; the pairing is the Hungarian method's. Labels and clusters may differ
    in number; unpaired ones count as wrong.

    >>> clustering_accuracy([0, 0, 1, 1], [1, 1, 0, 0])
    1.0
    """
    table = contingency(labels, clusters)
    if table.size == 0:
        raise ValueError("clustering_accuracy needs at least one sample; found 0")
    pairing: Any = linear_sum_assignment(table, maximize=True)
    return float(table[pairing].sum() / table.sum())


def purity(labels: ArrayLike, clusters: ArrayLike) -> float:
    """Share of samples that carry the most frequent label of their cluster; one when each sample is its own.

    >>> purity([0, 0, 1, 1], [0, 0, 0, 1])
    0.75
    """
    table = contingency(labels, clusters)
    if table.size == 0:
        raise ValueError("purity needs at least one sample; found 0")
    return float(table.max(axis=0).sum() / table.sum())
