"""What is typical of a cluster in a table: the features whose mean differs most from everybody's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_FEATURES = 5_000


@dataclass(frozen=True)
class Feature:
    """One feature of one cluster.

    Attributes:
        name: the column's, or its number.
        mean: of the cluster's samples, in the data's own unit.
        of_all: mean of all samples.
        apart: (mean - of_all) over the standard deviation of all samples.
    """

    name: str
    mean: float
    of_all: float
    apart: float


def typical_features(
    x: NDArray[Any], clusters: NDArray[np.int64], n_clusters: int, names: list[str], most: int
) -> list[list[Feature]]:
    """For each cluster its features farthest from the mean of all, the farthest first; none for an empty cluster.

    Args:
        x: samples (N, F) in their own units.
        clusters: (N,), from 0.
        n_clusters: K.
        names: of the F features.
        most: features of each cluster.

    >>> x = np.array([[0.0, 5.0], [2.0, 5.0], [10.0, 5.0]])
    >>> typical_features(x, np.array([0, 0, 1]), 2, ["size", "age"], 1)[1]
    [Feature(name='size', mean=10.0, of_all=4.0, apart=1.3887301496588271)]
    """
    x = x.astype(np.float64)
    of_all, spread = x.mean(axis=0), x.std(axis=0)
    found: list[list[Feature]] = []
    for cluster in range(n_clusters):
        members = x[clusters == cluster]
        if not len(members):
            found.append([])
            continue
        mean = members.mean(axis=0)
        apart = np.divide(mean - of_all, spread, out=np.zeros_like(mean), where=spread > 0)
        order = [int(i) for i in np.argsort(-np.abs(apart), kind="stable")[:most] if apart[i] != 0]
        found.append([Feature(names[i], float(mean[i]), float(of_all[i]), float(apart[i])) for i in order])
    return found
