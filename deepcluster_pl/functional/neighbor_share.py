"""The share of the clusters' entropy that neighbors' clusters explain: how clean borders are, of uneven groups too."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from deepcluster_pl.functional.neighbor_information import joint_weights, neighbor_information


def neighbor_information_share(clusters: ArrayLike, neighbors: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Compute I(c_i; c_j) / H(c_i) over all pairs of a sample i and one of its neighbors j.

    The information alone grows with the entropy, so it prefers two halves of one large group to a large and a small
    group. Divided by the entropy it does not: a border through a group costs as much as it is crossed.

    Args:
        clusters: cluster (N,) of each sample; pairs with a sample in cluster -1 count as unexplained.
        neighbors: row numbers (N, n) of each sample's neighbors.
        weights: weight (N,) of each sample's pairs; None = all alike.

    Returns:
        A number from 0 to 1; larger is better. A partition into one cluster has 0.

    >>> neighbor_information_share([0, 0, 1, 1, 1], [[1], [0], [3], [2], [3]])
    1.0
    """
    clusters, neighbors = np.asarray(clusters), np.asarray(neighbors)
    inside = clusters >= 0
    if not neighbors.size or not inside.any():
        return 0.0
    names, numbers = np.unique(clusters, return_inverse=True)
    sums = joint_weights(numbers, neighbors, len(names), weights)[np.ix_(names >= 0, names >= 0)]
    margin = (sums.sum(axis=0) + sums.sum(axis=1)) / max(2 * sums.sum(), np.finfo(float).tiny)
    margin = margin[margin > 0]
    entropy = float(-(margin @ np.log(margin)))
    if entropy <= 1e-12:
        return 0.0
    return min(1.0, neighbor_information(clusters, neighbors, weights) / entropy)
