"""Choose the samples that represent a cluster: the central ones, and the doubtful ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.evaluation.predictions import Prediction

DOUBT = 0.8
"""Probability of the second cluster over that of the first, above which a sample counts as doubtful."""


def central_members(prediction: Prediction, cluster: int) -> NDArray[np.int64]:
    """Return the positions of a cluster's samples, ordered by distance to the mean of their embeddings.

    Args:
        prediction: of one part, N samples.
        cluster: from 0.

    Returns:
        Positions (n,) from 0 to N - 1, the nearest first; none for an empty cluster.
    """
    members = np.flatnonzero(prediction.clusters.numpy() == cluster)
    if not len(members):
        return members
    z = prediction.z.numpy()[members]
    distances = np.linalg.norm(z - z.mean(axis=0), axis=1)
    return members[np.argsort(distances, kind="stable")]


def doubtful_members(prediction: Prediction, cluster: int, most: int) -> NDArray[np.int64]:
    """Return the positions of a cluster's samples that nearly belong to another one; see `DOUBT`.

    Args:
        prediction: of one part, N samples.
        cluster: from 0.
        most: the largest number of samples to return.

    Returns:
        Positions from 0 to N - 1, the most doubtful first.
    """
    members = np.flatnonzero(prediction.clusters.numpy() == cluster)
    doubt = prediction.doubt[members]
    order = np.argsort(-doubt, kind="stable")[:most]
    return members[order[doubt[order] > DOUBT]]
