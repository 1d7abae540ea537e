"""The choice among candidates: right where the answer is plain, and simple where candidates are equal."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.partitions import disturbed, four_groups
from sklearn.datasets import make_blobs

from deepcluster_pl.evaluation.candidate_choice import rank_candidates

X, Y = make_blobs([120, 30, 10], centers=np.array([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]]), random_state=0)
X = X.astype(np.float32)
HALVES = np.where((Y == 0) & (X[:, 0] > 0), 1, np.where(Y == 0, 0, 2))


@pytest.fixture(scope="module")
def blobs():
    return four_groups()


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


def test_the_right_groups_win_and_that_is_sure(blobs):
    x, groups = blobs
    pool = [disturbed(groups, 80), np.minimum(groups, 2), disturbed(groups, 40), groups, np.zeros(240, int)]
    ranking = rank_candidates(x, pool, [4] * 5, seed=0)
    assert (ranking.chosen, ranking.sureness, ranking.n, ranking.n_neighbors) == (3, 1.0, 240, 10)
    information = [criteria.information for criteria in ranking.criteria]
    assert sorted(information, reverse=True) == [information[i] for i in (3, 1, 2, 0, 4)]
    assert ranking.criteria[3].error < 0.1
    assert ranking.criteria[4].error == 0


def test_nearly_equal_partitions_are_a_family_and_the_choice_between_them_is_sure(blobs):
    x, groups = blobs
    ranking = rank_candidates(x, [groups, 3 - groups, disturbed(groups, 2), disturbed(groups, 99)], [4] * 4, seed=0)
    assert [criteria.family for criteria in ranking.criteria] == [0, 0, 0, 1]
    assert ranking.sureness == 1


def test_a_collapsed_partition_loses_and_noise_is_no_cluster(blobs):
    x, groups = blobs
    noisy = np.where(np.arange(240) % 40 == 0, -1, groups)
    ranking = rank_candidates(x, [np.minimum(groups, 1), noisy, np.full(240, -1)], [4, 4, 4], 0)
    assert [criteria.collapsed for criteria in ranking.criteria] == [True, False, True]
    assert ranking.chosen == 1
    everything = rank_candidates(x, [np.full(240, -1), np.minimum(groups, 1)], [4, 4], 0)
    assert everything.chosen == 1  # where all are collapsed, the one that says more


def test_the_same_seed_gives_the_same_criteria_and_a_function_the_same_as_an_array(blobs):
    x, groups = blobs
    pool = [groups, disturbed(groups, 30)]
    assert rank_candidates(x, pool, [4, 4], 3) == rank_candidates(lambda rows: x[rows], pool, [4, 4], 3)


def test_samples_that_are_all_equal_get_an_answer():
    constant = rank_candidates(np.zeros((30, 4), np.float32), [np.arange(30) % 3, np.arange(30) % 2], [3, 2], seed=0)
    assert (constant.n, constant.n_neighbors, constant.sureness) == (1, 0, 0.0)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_tiny_pools_of_tiny_data_get_an_answer(n):
    x = np.arange(n, dtype=np.float32)[:, None]
    ranking = rank_candidates(x, [np.zeros(n, int), np.arange(n)], [1, n], seed=0)
    assert ranking.chosen in (0, 1)
    assert ranking.n == n
    assert rank_candidates(x, [np.zeros(n, int)], [1], seed=0).sureness == 0  # one cluster says nothing
