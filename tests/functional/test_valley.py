"""The valley of density between two sets of points, beside a naive estimate on their own axis."""

from __future__ import annotations

import numpy as np
import pytest

from deepcluster_pl.functional.valley import valley_floor


@pytest.mark.parametrize("dimensions", [1, 2, 8])
def test_halves_of_one_cloud_have_no_valley_and_two_clouds_have_one(dimensions):
    x = np.random.default_rng(dimensions).normal(size=(600, dimensions))
    assert valley_floor(x[x[:, 0] < 0.2], x[x[:, 0] >= 0.2]) > 0.95
    step = np.zeros(dimensions)
    step[0] = 5.0
    assert valley_floor(x[:300], x[300:] + step) < 0.5


def test_it_is_the_least_density_of_a_naive_kernel_between_the_medians():
    rng = np.random.default_rng(1)
    first, second = rng.normal(0, 1, (50, 1)), rng.normal(3, 1, (70, 1))
    both = np.concatenate([first, second])[:, 0]
    spread = min(np.std(both), (np.percentile(both, 75) - np.percentile(both, 25)) / 1.34)
    width = 1.06 * spread * len(both) ** -0.2
    places = np.linspace(np.median(first), np.median(second), 33)
    density = [sum(np.exp(-0.5 * ((place - value) / width) ** 2) for value in both) for place in places]
    assert valley_floor(first, second) == pytest.approx(min(density) / min(density[0], density[-1]))


def test_points_that_are_all_alike_have_a_valley_of_nothing():
    assert valley_floor(np.ones((5, 2)), np.ones((7, 2))) == 0.0
