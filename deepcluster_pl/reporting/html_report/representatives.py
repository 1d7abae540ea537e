"""Which samples speak for a cluster: those in its middle, and those that nearly went elsewhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.evaluation.predictions import Prediction

DOUBT = 0.8
"""Share of the second cluster over that of the first from which a sample counts as doubtful."""


def central(prediction: Prediction, cluster: int, most: int) -> NDArray[np.int64]:
    """Positions of the samples nearest to the mean of the cluster's embeddings, the nearest first."""
    members = np.flatnonzero(prediction.clusters.numpy() == cluster)
    if not len(members):
        return members
    z = prediction.z.numpy()[members]
    distances = np.linalg.norm(z - z.mean(axis=0), axis=1)
    return members[np.argsort(distances, kind="stable")[:most]]


def doubtful(prediction: Prediction, cluster: int, most: int) -> NDArray[np.int64]:
    """Positions of a cluster's samples that another one nearly has, the nearest first; see `DOUBT`."""
    members = np.flatnonzero(prediction.clusters.numpy() == cluster)
    doubt = prediction.doubt[members]
    order = np.argsort(-doubt, kind="stable")[:most]
    return members[order[doubt[order] > DOUBT]]


def most_frequent(labels: NDArray[np.str_], most: int) -> list[tuple[str, float]]:
    """The most frequent labels and their shares.

    >>> most_frequent(np.array(["a", "b", "a"]), 1)
    [('a', 0.6666666666666666)]
    """
    names, counts = np.unique(labels, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:most]
    return [(str(names[i]), float(counts[i] / len(labels))) for i in order]
