"""Scores of clusters against known labels, which training never reads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.metrics.cluster import contingency_matrix


def contingency(labels: ArrayLike, clusters: ArrayLike) -> NDArray[np.int64]:
    """Count the samples of each label in each cluster.

    Args:
        labels: known label (N,) of each sample, numbers or text.
        clusters: cluster (N,) of each sample, numbers or text.

    Returns:
        Counts (L, C): one row for each distinct label, one column for each distinct cluster, both in sorted order.

    >>> contingency(["a", "a", "b"], [5, 5, 7]).tolist()
    [[2, 0], [0, 1]]
    """
    table: NDArray[np.int64] = contingency_matrix(labels, clusters, dtype=np.int64)
    return table


def clustering_accuracy(labels: ArrayLike, clusters: ArrayLike) -> float:
    """Return the share of samples that match their label under the best one-to-one pairing of clusters and labels.

    This is the ACC of the deep clustering papers (Xie, Girshick, Farhadi 2016, equation 10). The Hungarian method
    finds the pairing (Kuhn 1955). Labels and clusters may differ in number; unpaired ones count as wrong.

    Args:
        labels: known label (N,) of each sample, numbers or text.
        clusters: cluster (N,) of each sample, numbers or text.

    Returns:
        A share from 0 to 1, larger is better.

    Raises:
        ValueError: there is no sample.

    >>> clustering_accuracy([0, 0, 1, 1], [1, 1, 0, 0])
    1.0
    """
    table = contingency(labels, clusters)
    if table.size == 0:
        raise ValueError("clustering_accuracy needs at least one sample; found 0")
    pairing: Any = linear_sum_assignment(table, maximize=True)
    return float(table[pairing].sum() / table.sum())


def purity(labels: ArrayLike, clusters: ArrayLike) -> float:
    """Return the share of samples that carry the most frequent label of their cluster.

    See Manning, Raghavan, Schütze 2008, section 16.3. Purity never falls when clusters are split, and is 1 when each
    sample is a cluster of its own.

    Args:
        labels: known label (N,) of each sample, numbers or text.
        clusters: cluster (N,) of each sample, numbers or text.

    Returns:
        A share from 0 to 1, larger is better.

    Raises:
        ValueError: there is no sample.

    >>> purity([0, 0, 1, 1], [0, 0, 0, 1])
    0.75
    """
    table = contingency(labels, clusters)
    if table.size == 0:
        raise ValueError("purity needs at least one sample; found 0")
    return float(table.max(axis=0).sum() / table.sum())
