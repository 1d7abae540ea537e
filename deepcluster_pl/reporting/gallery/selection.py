"""Which pictures a gallery shows, in which order, and a name for what it was made of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.evaluation.predictions import Prediction

_DOUBTFUL = 6


def central_first(prediction: Prediction, n_clusters: int) -> list[NDArray[np.int64]]:
    """Positions of each cluster's samples, those nearest to the mean of its embeddings first."""
    z, clusters = prediction.z.numpy(), prediction.clusters.numpy()
    found = []
    for k in range(n_clusters):
        members = np.flatnonzero(clusters == k)
        middle = z[members].mean(axis=0) if len(members) else 0
        found.append(members[np.argsort(np.linalg.norm(z[members] - middle, axis=1), kind="stable")])
    return found


def thinned(members: NDArray[np.int64], doubt: NDArray[np.float32], most: int) -> NDArray[np.int64]:
    """At most `most` of the members, in their order: spread evenly over it, and the six most doubtful.

    >>> thinned(np.arange(100), np.linspace(0, 1, 100), 10).tolist()
    [0, 24, 49, 74, 95, 96, 97, 98, 99]
    """
    if len(members) <= most:
        return members
    doubtful = np.argsort(-doubt[members], kind="stable")[: min(_DOUBTFUL, most // 2)]
    spread = np.linspace(0, len(members) - 1, max(1, most - len(doubtful))).astype(np.int64)
    kept: NDArray[np.int64] = members[np.unique(np.concatenate([spread, doubtful]))]
    return kept


def partition_digest(ids: Iterable[object], clusters: Iterable[object]) -> str:
    """Sixteen hexadecimal digits that name a partition: choices made in one gallery are not those of another."""
    digest = hashlib.sha256()
    for name, cluster in zip(ids, clusters, strict=True):
        digest.update(f"{name}\0{cluster}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]
