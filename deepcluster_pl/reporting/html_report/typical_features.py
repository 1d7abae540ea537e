"""Find the features of a table that are typical of a cluster: their means differ most from the mean of all samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.tables.encoders.base import readable
from deepcluster_pl.data.tables.preparation import Preparation

MOST_FEATURES = 5_000
"""Tables with more columns get no typical features."""


@dataclass(frozen=True)
class TypicalFeature:
    """One feature that is typical of one cluster.

    Attributes:
        name: the column's, or its number.
        value: mean of the cluster's samples in the data's own unit, or its most unusual category with its share.
        of_all: the same of all samples.
        difference: between the two, in standard deviations of all samples.
    """

    name: str
    value: str
    of_all: str
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
    [TypicalFeature(name='size', value='10', of_all='4', difference=1.3887301496588271)]
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
            [
                TypicalFeature(
                    names[i], readable(float(mean[i])), readable(float(mean_of_all[i])), float(difference[i])
                )
                for i in order
            ]
        )
    return typical


def find_typical_columns(
    preparation: Preparation, x: NDArray[Any], clusters: NDArray[np.int64], n_clusters: int, most: int
) -> list[list[TypicalFeature]]:
    """Return for each cluster the columns of a table that differ most from all, in their own units and categories.

    Args:
        preparation: what made the samples from the columns.
        x: samples (N, F), not scaled.
        clusters: (N,), from 0.
        n_clusters: K.
        most: the largest number of columns for each cluster.

    Returns:
        K lists; the list of an empty cluster is empty.
    """
    x = x.astype(np.float64)
    typical: list[list[TypicalFeature]] = []
    for cluster in range(n_clusters):
        members = x[clusters == cluster]
        facts = preparation.describe(members, x) if len(members) else []
        facts = sorted((fact for fact in facts if fact.difference != 0), key=lambda fact: -abs(fact.difference))
        typical.append([TypicalFeature(*fact[:4]) for fact in facts[:most]])
    return typical
