"""Partition a graph of neighbors into groups of any size: small groups stay apart, and large ones whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.functional.communities import community_partitions
from deepcluster_pl.functional.neighbor_information import joint_weights
from deepcluster_pl.functional.neighbor_share import neighbor_information_share

_TREES = 4
_MANY = ((15, 1.5), (20, 2.0), (30, 3.0))
"""Numbers of communities that are joined: the first, or the second times K if that is more."""
_POINTS_EACH = 10
_PAYS = 0.1
"""Share of their entropy that the groups must have explained beyond the clearest of the finer communities."""


def groups_of_any_size(
    points: NDArray[np.float32],
    neighbors: NDArray[np.int64],
    n_clusters: int,
    seed: int,
    known: NDArray[np.int64] | None = None,
) -> NDArray[np.int64] | None:
    """Partition points into K groups, even or not, whichever the neighbors of the points are evidence for.

    Communities by modularity are of similar size: a group of nine tenths of the samples is cut in pieces, since that
    is what lets each have more edges within than its degree lets expect. So 15, 20 and 30 communities are joined to K
    as well, by `joined`, which may leave groups of any size. Of all these partitions it is the one whose clusters
    neighbors explain best, as a share of the clusters' entropy (`neighbor_information_share`).

    Where many small islands are about as clear as K groups, as among texts, the share grows with whatever is joined,
    and tells nothing about sizes. So the best partition must be clearer than all of those communities before they were
    joined. They are less clear where they are pieces of a group.

    Args:
        points: points (N, D).
        neighbors: row numbers (N, n) of each point's nearest neighbors.
        n_clusters: K.
        seed: decides the communities.
        known: cluster (N,) of each point by another method, which is one of the partitions then.

    Returns:
        Groups (N,), from 0 on; None where neighbors are no evidence for K groups.
    """
    many = sorted({max(least, round(share * n_clusters)) for least, share in _MANY})
    most = max(n_clusters, min(many[-1], len(points) // _POINTS_EACH))
    trees = community_partitions(points, most, neighbors.shape[1], _TREES, np.random.default_rng(seed))
    finer = [trees[k] for k in many if k in trees and k > n_clusters]
    if not finer:
        return None
    found = [] if known is None else [known]
    found += [trees[n_clusters]] if n_clusters in trees else []
    found += [joined(pieces, neighbors, n_clusters) for pieces in finer]
    # The clearest, if it is clearer than its pieces
    shares = [neighbor_information_share(groups, neighbors) for groups in found]
    of_pieces = max(neighbor_information_share(pieces, neighbors) for pieces in finer)
    return found[int(np.argmax(shares))] if max(shares) - of_pieces >= _PAYS else None


def joined(groups: NDArray[np.int64], neighbors: NDArray[np.int64], n_clusters: int) -> NDArray[np.int64]:
    """Join groups two by two until K are left: those between which the largest part of the smaller one's edges runs.

    Sizes are in no term of that. Two pieces of a group have much of a border, and a small group of its own has none.

    Args:
        groups: group (N,) of each point, from 0 on, none empty.
        neighbors: row numbers (N, n) of each point's nearest neighbors.
        n_clusters: K.

    Returns:
        Groups (N,), from 0 to K-1.

    >>> joined(np.array([0, 0, 1, 1, 2]), np.array([[1], [2], [1], [2], [4]]), 2).tolist()
    [0, 0, 0, 0, 1]
    """
    groups = np.unique(groups, return_inverse=True)[1]
    while (k := int(groups.max()) + 1) > n_clusters:
        directed = joint_weights(groups, neighbors, k, None)
        edges = directed + directed.T
        degrees = edges.sum(axis=1)
        crossing = edges / np.maximum(np.minimum(degrees[:, None], degrees[None, :]), 1)
        np.fill_diagonal(crossing, -1)
        first, second = divmod(int(crossing.argmax()), k)
        groups = np.unique(np.where(groups == second, first, groups), return_inverse=True)[1]
    return groups
