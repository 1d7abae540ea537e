"""Share of information about neighbors: the same as a loop over pairs, and fair to uneven groups."""

from __future__ import annotations

import math

import numpy as np
import pytest

from deepcluster_pl.functional.neighbor_information import neighbor_information
from deepcluster_pl.functional.neighbor_share import neighbor_information_share


def slow_share(clusters, neighbors):
    pairs = [(clusters[i], clusters[j]) for i, row in enumerate(neighbors) for j in row]
    pairs += [(b, a) for a, b in pairs]
    joint, single = {p: pairs.count(p) / len(pairs) for p in pairs}, {}
    for (a, _), share in joint.items():
        single[a] = single.get(a, 0) + share
    information = sum(p * math.log(p / single[a] / single[b]) for (a, b), p in joint.items())
    return information / -sum(p * math.log(p) for p in single.values())


def test_it_agrees_with_a_loop_over_all_pairs():
    random = np.random.default_rng(0)
    clusters, neighbors = random.integers(0, 3, 20), random.integers(0, 20, (20, 4))
    assert neighbor_information_share(clusters, neighbors) == pytest.approx(slow_share(clusters.tolist(), neighbors))


def test_a_cut_through_the_largest_group_is_worse_though_it_has_more_information():
    # Eight samples in a row and two apart; neighbors are those beside
    neighbors = [[1, 2], *([i - 1, i + 1] for i in range(1, 7)), [6, 5], [9, 9], [8, 8]]
    whole, halves = [0] * 8 + [1] * 2, [0] * 4 + [1] * 6
    assert neighbor_information_share(whole, neighbors) == pytest.approx(1)
    assert neighbor_information_share(halves, neighbors) < 0.8
    assert neighbor_information_share([0] * 4 + [2] * 4 + [1] * 2, neighbors) < 0.9
    assert neighbor_information([0] * 4 + [2] * 4 + [1] * 2, neighbors) > neighbor_information(whole, neighbors)


def test_one_cluster_and_no_neighbors_have_no_share():
    assert neighbor_information_share([0, 0], [[1], [0]]) == 0
    assert neighbor_information_share([0, 1], np.zeros((2, 0), dtype=int)) == 0
    assert neighbor_information_share([-1, -1], [[1], [0]]) == 0
