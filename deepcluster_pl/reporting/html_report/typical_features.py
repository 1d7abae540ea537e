"""Find the features of a table that are typical of a cluster: their means differ most from the mean of all samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_FEATURES = 5_000
"""Tables with more columns get no typical features."""


@dataclass(frozen=True)
class TypicalFeature:
    """One feature that is typical of one cluster.

    Attributes:
        name: the column's, or its number.
        mean: mean of the cluster's samples, in the data's own unit.
        mean_of_all: mean of all samples.
        difference: (mean - mean_of_all) in standard deviations of all samples.
    """

    name: str
    mean: float
    mean_of_all: float
    difference: float


def find_typical_features(
    x: NDArray[Any], clusters: NDArray[np.int64], n_clusters: int, names: list[str], most: int
) -> list[list[TypicalFeature]]:
    """Return for each cluster the features whose mean is farthest from the mean of all, the farthest first.

    Args:
        x: samples (N, F) in their own units.
        clusters: (N,), from 0.
        n_clusters: K.
        names: of the F features.
        most: the largest number of features for each cluster.

    Returns:
        K lists; the list of an empty cluster is empty.

    >>> x = np.array([[0.0, 5.0], [2.0, 5.0], [10.0, 5.0]])
    >>> find_typical_features(x, np.array([0, 0, 1]), 2, ["size", "age"], 1)[1]
    [TypicalFeature(name='size', mean=10.0, mean_of_all=4.0, difference=1.3887301496588271)]
    """
    x = x.astype(np.float64)
    mean_of_all, spread = x.mean(axis=0), x.std(axis=0)
    typical: list[list[TypicalFeature]] = []
    for cluster in range(n_clusters):
        members = x[clusters == cluster]
        if not len(members):
            typical.append([])
            continue
        mean = members.mean(axis=0)
        # Constant features differ by nothing
        difference = np.divide(mean - mean_of_all, spread, out=np.zeros_like(mean), where=spread > 0)
        order = [int(i) for i in np.argsort(-np.abs(difference), kind="stable")[:most] if difference[i] != 0]
        typical.append(
            [TypicalFeature(names[i], float(mean[i]), float(mean_of_all[i]), float(difference[i])) for i in order]
        )
    return typical
