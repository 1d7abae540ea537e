"""Criteria without labels prefer the right groups, and bear collapsed, noisy, tiny and duplicated input."""

from __future__ import annotations

import numpy as np
import pytest

from deepcluster_pl.evaluation.label_free import compare_partitions, neighborhood, rank_partitions


@pytest.fixture(scope="module")
def blobs():
    """Return four groups (N, 3) of 60 points, and their numbers."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(4), 60)
    return (rng.normal(size=(4, 3))[groups] * 5 + rng.normal(size=(240, 3))).astype(np.float32), groups


def disturbed(groups, n, seed=0):
    """Return the groups with n samples in a group drawn at random."""
    rng, out = np.random.default_rng(seed), groups.copy()
    out[rng.choice(len(groups), n, replace=False)] = rng.integers(groups.max() + 1, size=n)
    return out


def test_the_right_groups_win_and_that_is_sure(blobs):
    x, groups = blobs
    pool = [disturbed(groups, 80), np.minimum(groups, 2), disturbed(groups, 40), groups, np.zeros(240, int)]
    ranking = rank_partitions(x, pool, seed=0)
    assert (ranking.chosen, ranking.sureness, ranking.n, ranking.n_neighbors) == (3, 1.0, 240, 10)
    information = [criteria.information for criteria in ranking.criteria]
    assert sorted(information, reverse=True) == [information[i] for i in (3, 1, 2, 0, 4)]
    assert ranking.criteria[3].error < 0.1
    assert ranking.criteria[4].error == 0


def test_nearly_equal_partitions_are_a_family_and_the_choice_between_them_is_sure(blobs):
    x, groups = blobs
    ranking = rank_partitions(x, [groups, 3 - groups, disturbed(groups, 2), disturbed(groups, 99)], seed=0)
    assert [criteria.family for criteria in ranking.criteria] == [0, 0, 0, 1]
    assert ranking.sureness == 1


def test_a_collapsed_partition_loses_and_noise_is_no_cluster(blobs):
    x, groups = blobs
    noisy = np.where(np.arange(240) % 40 == 0, -1, groups)
    ranking = rank_partitions(x, [np.minimum(groups, 1), noisy, np.full(240, -1)], 0, n_clusters=[4, 4, 4])
    assert [criteria.collapsed for criteria in ranking.criteria] == [True, False, True]
    assert [criteria.n_clusters for criteria in ranking.criteria] == [2, 4, 0]
    assert ranking.chosen == 1
    everything = rank_partitions(x, [np.full(240, -1), np.minimum(groups, 1)], 0, n_clusters=[4, 4])
    assert everything.chosen == 1  # where all are collapsed, the one that says more


def test_the_same_seed_gives_the_same_criteria_and_a_function_the_same_as_an_array(blobs):
    x, groups = blobs
    pool = [groups, disturbed(groups, 30)]
    assert rank_partitions(x, pool, 3) == rank_partitions(lambda rows: x[rows], pool, 3)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_tiny_pools_of_tiny_data_get_an_answer(n):
    x = np.arange(n, dtype=np.float32)[:, None]
    ranking = rank_partitions(x, [np.zeros(n, int), np.arange(n)], seed=0)
    assert ranking.chosen in (0, 1)
    assert ranking.n == n
    assert rank_partitions(x, [np.zeros(n, int)], seed=0).sureness == 0  # one cluster says nothing


def test_equal_samples_count_as_one_with_more_weight():
    x = np.repeat(np.arange(6, dtype=np.float32), [1, 1, 9, 1, 1, 1])[:, None]
    near = neighborhood(x, len(x), seed=0)
    assert near.weights.tolist() == [1, 1, 9, 1, 1, 1]
    assert near.neighbors.shape == (6, 5)
    constant = rank_partitions(np.zeros((30, 4), np.float32), [np.arange(30) % 3, np.arange(30) % 2], seed=0)
    assert (constant.n, constant.n_neighbors, constant.sureness) == (1, 0, 0.0)


def test_wide_features_are_reduced_and_neighbors_stay(blobs):
    x, _groups = blobs
    wide = np.concatenate([x, np.random.default_rng(0).normal(size=(240, 197)).astype(np.float32) * 1e-3], axis=1)
    near, plain = neighborhood(wide, 240, 0), neighborhood(x, 240, 0)
    assert (np.sort(near.neighbors) == np.sort(plain.neighbors)).mean() > 0.9


def test_a_worse_second_partition_is_told_from_an_equal_and_a_better_one(blobs):
    x, groups = blobs
    worse = disturbed(groups, 60)
    found = compare_partitions(x, groups, worse, seed=0)
    assert found.second_is_worse
    assert found.first - found.second > 5 * found.error
    assert not compare_partitions(x, worse, groups, seed=0).second_is_worse
    assert not compare_partitions(x, groups, 3 - groups, seed=0).second_is_worse
