"""The choice among candidates: right where the answer is plain, and simple where candidates are equal."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import make_blobs

from deepcluster_pl.evaluation.candidate_choice import rank_candidates

X, Y = make_blobs([120, 30, 10], centers=np.array([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]]), random_state=0)
X = X.astype(np.float32)
HALVES = np.where((Y == 0) & (X[:, 0] > 0), 1, np.where(Y == 0, 0, 2))


def test_uneven_groups_win_over_halves_of_the_largest():
    ranking = rank_candidates(X, [HALVES, Y], [3, 3], seed=0)
    assert ranking.chosen == 1
    assert ranking.sureness == 1
    assert ranking.criteria[0].information > ranking.criteria[1].information


def test_of_equal_partitions_the_first_is_chosen():
    moved = Y.copy()
    moved[np.flatnonzero(Y == 0)[:1]] = 1
    assert rank_candidates(X, [Y, (Y + 1) % 3], [3, 3], seed=0).chosen == 0
    assert rank_candidates(X, [moved, Y, HALVES], [3, 3, 3], seed=0).criteria[0].family == 0


def test_a_collapsed_partition_is_never_chosen_beside_another():
    noise = np.random.default_rng(0).integers(0, 3, len(X))
    ranking = rank_candidates(X, [np.zeros_like(Y), noise], [3, 3], seed=0)
    assert ranking.criteria[0].collapsed
    assert ranking.chosen == 1


def test_a_seed_gives_one_ranking():
    first, second = (rank_candidates(X, [HALVES, Y], [3, 3], seed=3) for _ in range(2))
    assert first == second
