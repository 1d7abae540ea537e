"""The agreement of each partition with a pool of partitions, one vote a family of nearly equal ones."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

FAMILY = 0.95
"""Adjusted Rand index above which two partitions are of one family."""


def consensus_agreement(partitions: Sequence[ArrayLike], family: float = FAMILY) -> NDArray[np.float64]:
    """Compute how near each partition is to the co-association matrix of all of them: 1 - mean |A_p - C|.

    A_p (N, N) is 1 where partition p puts two samples together, and C is the weighted mean of all A_p. Partitions that
    are linked by adjusted Rand indices above `family` share one vote, so restarts of one algorithm do not outvote the
    others. This is DISCOTEC's ranking by the consensus matrix (Mahmoudi, Amini and others, 2024). Because A_p is 0 or
    1, the sum over all pairs is one of squared cell counts of contingency tables, so no (N, N) matrix is made:
    the result is a weighted mean of Rand indices.

    Args:
        partitions: cluster (N,) of every sample in each of P partitions; numbers of clusters may differ; a sample in
            cluster -1 is alone.
        family: adjusted Rand index above which two partitions share a vote.

    Returns:
        Agreement (P,), from 0 to 1; larger is nearer to the others.

    >>> consensus_agreement([[0, 0, 1, 1], [1, 1, 0, 0], [0, 1, 0, 1]]).tolist()
    [0.75, 0.75, 0.75]
    """
    rand, adjusted = pairwise_rand_indices(partitions)
    votes = family_votes(adjusted, family)
    return np.asarray(rand @ votes)


def pairwise_rand_indices(partitions: Sequence[ArrayLike]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the Rand index, over all N² ordered pairs, and the adjusted Rand index of every two partitions.

    Args:
        partitions: cluster (N,) of every sample in each of P partitions; a sample in cluster -1 is alone.

    Returns:
        Both indices (P, P), symmetric, with ones on the diagonal.
    """
    numbered = [_alone_numbered(np.asarray(partition)) for partition in partitions]
    squares = np.array([_squares(np.bincount(numbers)) for numbers in numbered])
    n = len(numbered[0])
    rand, adjusted = np.ones((len(numbered),) * 2), np.ones((len(numbered),) * 2)
    for a, b in itertools.combinations(range(len(numbered)), 2):
        # Ordered pairs that both put together, those of a sample with itself included
        cells = numbered[a] * (int(numbered[b].max()) + 1) + numbered[b]
        both = _squares(np.unique(cells, return_counts=True)[1])
        rand[a, b] = rand[b, a] = 1 - (squares[a] + squares[b] - 2 * both) / n**2
        # The same without a sample's pair with itself, less what chance gives
        here, there, together = squares[a] - n, squares[b] - n, both - n
        expected = here * there / max(n * (n - 1), 1)
        largest = (here + there) / 2
        if largest != expected:
            adjusted[a, b] = adjusted[b, a] = (together - expected) / (largest - expected)
    return rand, adjusted


def family_votes(adjusted: NDArray[np.float64], family: float = FAMILY) -> NDArray[np.float64]:
    """Return the weight of each partition: families are alike, and so are the members of one.

    Args:
        adjusted: adjusted Rand index (P, P) of every two partitions.
        family: index above which two are of one family; families are linked by any pair of members.

    Returns:
        Weights (P,); their sum is 1.

    >>> family_votes(np.array([[1, 0.99, 0], [0.99, 1, 0], [0, 0, 1]])).tolist()
    [0.25, 0.25, 0.5]
    """
    families = families_of(adjusted, family)
    sizes = np.bincount(families)
    return np.asarray(1 / (len(sizes) * sizes[families]))


def families_of(adjusted: NDArray[np.float64], family: float = FAMILY) -> NDArray[np.int64]:
    """Return the family (P,) of each partition, numbered from 0 by the first member.

    Args:
        adjusted: adjusted Rand index (P, P) of every two partitions.
        family: index above which two are of one family.

    >>> families_of(np.array([[1, 0, 0.99], [0, 1, 0], [0.99, 0, 1]])).tolist()
    [0, 1, 0]
    """
    found = np.full(len(adjusted), -1, dtype=np.int64)
    for first in range(len(adjusted)):
        if found[first] < 0:
            found[first], waiting = found.max() + 1, [first]
            while waiting:
                near = np.flatnonzero((adjusted[waiting.pop()] > family) & (found < 0))
                found[near] = found[first]
                waiting.extend(near.tolist())
    return found


def _alone_numbered(clusters: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return clusters numbered from 0; each sample in cluster -1 gets a number of its own."""
    alone = clusters < 0
    numbers = np.empty(len(clusters), dtype=np.int64)
    names, numbers[~alone] = np.unique(clusters[~alone], return_inverse=True)
    numbers[alone] = len(names) + np.arange(int(alone.sum()))
    return numbers


def _squares(counts: NDArray[np.int64]) -> float:
    """Return the sum of squared counts."""
    return float(np.square(counts.astype(np.float64)).sum())
