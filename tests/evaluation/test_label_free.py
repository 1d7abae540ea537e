"""Criteria without labels prefer the right groups, and bear collapsed, noisy, tiny and duplicated input."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.partitions import disturbed, four_groups

from deepcluster_pl.evaluation.label_free import compare_partitions, neighborhood


@pytest.fixture(scope="module")
def blobs():
    return four_groups()


def test_equal_samples_count_as_one_with_more_weight():
    x = np.repeat(np.arange(6, dtype=np.float32), [1, 1, 9, 1, 1, 1])[:, None]
    near = neighborhood(x, len(x), seed=0)
    assert near.weights.tolist() == [1, 1, 9, 1, 1, 1]
    assert near.neighbors.shape == (6, 5)


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


def test_divided_by_the_entropy_a_large_and_a_small_group_are_better_than_halves_of_the_large_one():
    draw = np.random.default_rng(0)
    x = np.repeat([[0.0, 0.0], [9.0, 0.0]], [180, 20], axis=0) + draw.normal(size=(200, 2)) * [1, 5]
    x, groups, halves = x.astype(np.float32), np.repeat([0, 1], [180, 20]), (x[:, 1] > 0).astype(int)
    assert compare_partitions(x, halves, groups, seed=0).second_is_worse
    assert not compare_partitions(x, halves, groups, seed=0, by_share=True).second_is_worse
