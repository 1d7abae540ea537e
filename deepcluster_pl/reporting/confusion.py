"""Count labels in clusters, with the clusters in the order in which accuracy pairs them with labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from deepcluster_pl.data.base import ClusteringData, PartName
from deepcluster_pl.evaluation.metrics import known_labels
from deepcluster_pl.evaluation.predictions import Predictions
from deepcluster_pl.functional import contingency


@dataclass(frozen=True)
class Confusion:
    """Counts of labels in clusters.

    Attributes:
        labels: L names, sorted.
        clusters: numbers (K,) of the clusters that hold samples, in paired order.
        counts: samples (L, K) of each label in each cluster.
    """

    labels: list[str]
    clusters: NDArray[np.int64]
    counts: NDArray[np.int64]

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share (L, K) of each label's samples in each cluster; rows sum to one."""
        return np.asarray(self.counts / self.counts.sum(axis=1, keepdims=True))


def confusion_of(labels: NDArray[Any], clusters: NDArray[np.int64]) -> Confusion:
    """Count labels in clusters.

    Args:
        labels: (N,), all known.
        clusters: (N,).

    >>> confusion = confusion_of(np.array(["a", "a", "b"]), np.array([5, 5, 3]))
    >>> confusion.labels, confusion.clusters.tolist(), confusion.counts.tolist()
    (['a', 'b'], [5, 3], [[2, 0], [0, 1]])
    """
    table = contingency(labels, clusters)
    order = paired_order(table)
    names = [str(name) for name in np.unique(labels)]
    return Confusion(names, np.unique(clusters)[order], table[:, order])


def paired_order(table: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the column order of counts (L, K) that puts the best one-to-one pairing on the diagonal.

    Unpaired columns come last.

    >>> paired_order(np.array([[0, 5], [7, 1]])).tolist()
    [1, 0]
    """
    pairing: Any = linear_sum_assignment(table, maximize=True)
    paired = np.asarray(pairing[1])
    return np.concatenate([paired, np.setdiff1d(np.arange(table.shape[1]), paired)])


def confusion_of_run(data: ClusteringData, predictions: Predictions) -> tuple[PartName, Confusion] | None:
    """Count the labels of the held-out part, or of the fitted one where none is held out.

    Args:
        data: source of the labels.
        predictions: of each part.

    Returns:
        The part and its counts; None where no label is known.
    """
    name: PartName = "holdout" if "holdout" in data.parts else "fit"
    labels = data.part(name).labels
    if labels is None or not (known := known_labels(labels)).any():
        return None
    return name, confusion_of(labels[known].astype(str), predictions[name].clusters.numpy()[known])
