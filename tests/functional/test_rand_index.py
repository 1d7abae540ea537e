"""The adjusted Rand index is scikit-learn's and that of a slow count of pairs; cluster numbers carry no meaning."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from deepcluster_pl.functional import adjusted_rand_indices


def naive_index(a, b):
    """Pair by pair, in Python numbers."""
    pairs = list(itertools.combinations(range(len(a)), 2))
    both = sum(a[i] == a[j] and b[i] == b[j] for i, j in pairs)
    in_a, in_b = (sum(c[i] == c[j] for i, j in pairs) for c in (a, b))
    expected, best = in_a * in_b / len(pairs), (in_a + in_b) / 2
    return (both - expected) / (best - expected)


@pytest.fixture
def partitions():
    return np.random.default_rng(0).integers(-1, 4, size=(5, 40))


def test_every_pair_agrees_with_the_slow_count_of_pairs_of_samples(partitions):
    expected = [[naive_index(a, b) for b in partitions.tolist()] for a in partitions.tolist()]
    np.testing.assert_allclose(adjusted_rand_indices(partitions), expected, atol=1e-12)


def test_every_pair_agrees_with_scikit_learn_on_many_samples():
    partitions = np.random.default_rng(1).integers(10, size=(3, 70_000))
    partitions[2, 100:] = partitions[1, 100:]
    expected = [[adjusted_rand_score(a, b) for b in partitions] for a in partitions]
    np.testing.assert_allclose(adjusted_rand_indices(partitions), expected, atol=1e-12)


def test_numbers_of_clusters_carry_no_meaning(partitions):
    renamed = np.array([7, 90, -3, 2, 41])[partitions + 1]
    assert adjusted_rand_indices([partitions[0], renamed[0]])[0, 1] == pytest.approx(1)
    np.testing.assert_allclose(adjusted_rand_indices(renamed), adjusted_rand_indices(partitions), atol=1e-12)


@pytest.mark.parametrize("trivial", [[0, 0, 0], [0, 1, 2]])
def test_partitions_without_any_choice_agree_with_themselves_and_tell_nothing_of_others(trivial):
    found = adjusted_rand_indices([trivial, trivial, [0, 0, 1]])
    assert found[0].tolist() == [1, 1, 0]


def test_a_single_sample_is_in_the_same_group_everywhere():
    assert adjusted_rand_indices([[0], [3]]).tolist() == [[1, 1], [1, 1]]
