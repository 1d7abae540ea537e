"""Consensus agrees with the (N, N) matrix it never makes, and families share a vote."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from deepcluster_pl.functional import consensus_agreement
from deepcluster_pl.functional.consensus_choice import pairwise_rand_indices


def together(clusters):
    """Return the matrix (N, N) of samples that a partition puts together; a sample in cluster -1 is alone."""
    same = (clusters[:, None] == clusters[None]) & (clusters[:, None] >= 0)
    np.fill_diagonal(same, True)
    return same.astype(float)


def slow_consensus(partitions, families):
    """Compute 1 - mean |A_p - C| from whole matrices, with one vote for each list of members."""
    votes = np.zeros(len(partitions))
    for members in families:
        votes[members] = 1 / len(families) / len(members)
    matrices = [together(clusters) for clusters in partitions]
    consensus = sum(vote * matrix for vote, matrix in zip(votes, matrices, strict=True))
    return [1 - np.abs(matrix - consensus).mean() for matrix in matrices]


@pytest.mark.parametrize("lowest", [0, -1])
def test_consensus_agrees_with_the_whole_co_association_matrix(lowest):
    rng = np.random.default_rng(0)
    partitions = [rng.integers(lowest, n, size=50) for n in (2, 3, 5, 8)]
    found = consensus_agreement(partitions)
    assert found == pytest.approx(slow_consensus(partitions, [[0], [1], [2], [3]]), abs=1e-12)


def test_a_family_of_restarts_has_one_vote():
    rng = np.random.default_rng(0)
    first, second, third = (rng.integers(4, size=60) for _ in range(3))
    pool = [first, first[::1], 3 - first, second, third]
    found = consensus_agreement(pool)
    assert found == pytest.approx(slow_consensus(pool, [[0, 1, 2], [3], [4]]), abs=1e-12)


def test_the_partition_that_two_others_are_near_to_is_the_nearest():
    base = np.arange(90) // 30
    one, other = base.copy(), base.copy()
    one[:8], other[-8:] = 1, 0
    assert consensus_agreement([one, base, other]).argmax() == 1


def test_adjusted_indices_are_those_of_scikit_learn():
    rng = np.random.default_rng(1)
    partitions = [rng.integers(n, size=40) for n in (1, 2, 4, 4)]
    found = pairwise_rand_indices(partitions)[1]
    slow = [[adjusted_rand_score(a, b) for b in partitions] for a in partitions]
    np.testing.assert_allclose(found, slow, atol=1e-12)


def test_a_single_partition_and_a_single_sample_agree_in_full():
    assert consensus_agreement([np.array([0, 1, 1])]).tolist() == [1.0]
    assert consensus_agreement([np.array([0]), np.array([5])]).tolist() == [1.0, 1.0]
