"""Select the pictures that a gallery shows, and their order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.base import PartName
from deepcluster_pl.evaluation.outliers import NO_GROUP
from deepcluster_pl.evaluation.predictions import Predictions
from deepcluster_pl.reporting.representatives import central_members

MOST = 5000
"""Pictures in one page: about 25 MB."""
_DOUBTFUL = 6


class GalleryPicture(NamedTuple):
    """One picture of the page.

    Attributes:
        part: of the data.
        row: position in that part.
        cluster: from 0; -1 of one in no group.
    """

    part: PartName
    row: int
    cluster: int


def select_pictures(predictions: Predictions, n_clusters: int) -> list[GalleryPicture]:
    """Return the pictures to show, by cluster, the most central first.

    All are shown, or of more than `MOST` an even share of each cluster.

    Args:
        predictions: of each part.
        n_clusters: K.
    """
    n = sum(len(prediction.clusters) for prediction in predictions.values())
    pictures = []
    for part, prediction in predictions.items():
        for k in (*range(n_clusters), NO_GROUP):
            members = central_members(prediction, k)
            most = len(members) if n <= MOST else max(2, len(members) * MOST // n)
            rows = thinned(members, prediction.doubt, most)
            pictures += [GalleryPicture(part, row, k) for row in rows.tolist()]
    # Stable, so central ones stay first; those in no group come last
    return sorted(pictures, key=lambda picture: (picture.cluster == NO_GROUP, picture.cluster))


def thinned(members: NDArray[np.int64], doubt: NDArray[np.float32], most: int) -> NDArray[np.int64]:
    """Return at most `most` members in their order: some at even distances, and the six most doubtful.

    Args:
        members: positions of a cluster's samples.
        doubt: of all samples (N,), see `Prediction.doubt`.
        most: the largest number of members to return.

    >>> thinned(np.arange(100), np.linspace(0, 1, 100), 10).tolist()
    [0, 24, 49, 74, 95, 96, 97, 98, 99]
    """
    if len(members) <= most:
        return members
    doubtful = np.argsort(-doubt[members], kind="stable")[: min(_DOUBTFUL, most // 2)]
    spread = np.linspace(0, len(members) - 1, max(1, most - len(doubtful))).astype(np.int64)
    kept: NDArray[np.int64] = members[np.unique(np.concatenate([spread, doubtful]))]
    return kept
