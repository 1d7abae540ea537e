"""The mutual information of neighboring samples' clusters: how much a sample's cluster says about its neighbors'."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def neighbor_information(clusters: ArrayLike, neighbors: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Compute the mutual information I(c_i; c_j) over all pairs of a sample i and one of its neighbors j, in nats.

    It is large where neighbors share a cluster and clusters are even. A partition into one cluster has 0, and so have
    clusters that are drawn at random. Merged groups lose what the border between them said, which is why the plain
    share of neighbors in the same cluster prefers them and this does not. Ji, Henriques, Vedaldi (Invariant
    information clustering, 2019) train nets by the same quantity, with distorted copies in place of neighbors.

    Args:
        clusters: cluster (N,) of each sample; -1 belongs to none. Pairs with such a sample carry no information: the
            result is that of the other pairs, times their share.
        neighbors: row numbers (N, n) of each sample's neighbors.
        weights: weight (N,) of each sample's pairs; None = all alike.

    Returns:
        A number from 0 to log K; larger is better.

    >>> round(neighbor_information([0, 0, 1, 1], [[1], [0], [3], [2]]), 4), np.log(2).round(4).item()
    (0.6931, 0.6931)
    """
    clusters, neighbors = np.asarray(clusters), np.asarray(neighbors)
    names, numbers = np.unique(clusters, return_inverse=True)
    if not neighbors.size:
        return 0.0
    # Weight of each combination of a sample's cluster with its neighbor's
    shares = joint_weights(numbers, neighbors, len(names), weights)
    total = shares.sum()
    clustered = names >= 0
    shares = shares[np.ix_(clustered, clustered)]
    kept = shares.sum()
    if not kept:
        return 0.0
    # Both directions of a pair count, so that the two margins are the same
    shares = (shares + shares.T) / (2 * kept)
    margin = shares.sum(axis=1)
    present = shares > 0
    information = shares[present] @ np.log(shares[present] / np.outer(margin, margin)[present])
    return float(max(information, 0.0) * kept / total)


def joint_weights(
    numbers: NDArray[np.int64], neighbors: NDArray[np.int64], n_clusters: int, weights: ArrayLike | None
) -> NDArray[np.float64]:
    """Add up the weights of pairs by the two clusters they join.

    Args:
        numbers: cluster (N,) of each sample, from 0 to K-1.
        neighbors: row numbers (N, n) of each sample's neighbors.
        n_clusters: K.
        weights: weight (N,) of each sample's pairs; None = 1 each.

    Returns:
        Sums (K, K): the row is the sample's cluster, the column its neighbor's.
    """
    cells = (numbers[:, None] * n_clusters + numbers[neighbors]).ravel()
    each = None if weights is None else np.repeat(np.asarray(weights, dtype=np.float64), neighbors.shape[1])
    sums = np.bincount(cells, weights=each, minlength=n_clusters**2)
    return sums.reshape(n_clusters, n_clusters).astype(np.float64)
