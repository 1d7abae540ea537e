"""Splits of a group are offered where it comes apart, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_moons

from deepcluster_pl.functional.group_splits import LEAST_ROWS, cut_in_two, supported_split


def draw(n, d, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


@pytest.mark.parametrize(("n", "d"), [(60, 2), (400, 2), (400, 10), (150, 50)])
def test_data_without_groups_is_not_split(n, d):
    assert supported_split(draw(n, d), 0) is None


def test_a_long_and_bent_group_is_not_split():
    x, y = make_moons(600, noise=0.08, random_state=0)
    assert supported_split(x[y == 0].astype(np.float32), 0) is None


def test_two_groups_in_one_are_found_again_with_the_same_support_each_time():
    x = draw(300, 5)
    x[:120, 0] += 6
    found, again = supported_split(x, 3), supported_split(x, 3)
    assert found.support == again.support > 0.5
    assert np.bincount(found.parts[:120]).max() >= 118
    assert np.bincount(found.parts[120:]).max() >= 178


def test_few_samples_and_stray_ones_are_no_part():
    x = draw(200, 4)
    x[:5] += 30
    assert supported_split(x, 0) is None
    assert supported_split(x[: LEAST_ROWS - 1], 0) is None


def test_the_share_of_crossing_links_agrees_with_a_loop():
    x = draw(40, 2)
    cut = cut_in_two(x)
    far = np.linalg.norm(x[:, None] - x[None], axis=2) + np.diag(np.full(40, np.inf))
    near = far.argsort(axis=1)[:, :10]
    crossing = np.mean([[cut.parts[i] != cut.parts[j] for j in near[i]] for i in range(40)], axis=1)
    assert cut.crossing == pytest.approx(crossing.sum() / 2 / np.bincount(cut.parts).min())
