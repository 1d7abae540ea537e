"""Information about neighbors agrees with a loop over pairs, and says what it should of plain partitions."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from deepcluster_pl.functional import neighbor_information


def slow_information(clusters, neighbors, weights):
    """Count every pair in both directions, in dictionaries; pairs with a sample in cluster -1 are dropped."""
    pairs, total = Counter(), 0.0
    for i, row in enumerate(neighbors):
        for j in row:
            total += weights[i]
            if clusters[i] >= 0 and clusters[j] >= 0:
                pairs[clusters[i], clusters[j]] += weights[i] / 2
                pairs[clusters[j], clusters[i]] += weights[i] / 2
    kept = sum(pairs.values())
    margin = Counter()
    for (a, _), weight in pairs.items():
        margin[a] += weight / kept
    information = sum(w / kept * math.log(w / kept / (margin[a] * margin[b])) for (a, b), w in pairs.items())
    return information * kept / total


@pytest.mark.parametrize("lowest", [0, -1])
def test_information_agrees_with_a_loop_over_pairs(lowest):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        clusters = rng.integers(lowest, 4, size=40)
        neighbors = np.array([rng.choice(np.delete(np.arange(40), i), 5, replace=False) for i in range(40)])
        weights = rng.integers(1, 4, size=40).astype(float)
        slow = slow_information(clusters.tolist(), neighbors.tolist(), weights.tolist())
        assert neighbor_information(clusters, neighbors, weights) == pytest.approx(slow, abs=1e-12)


def ring(n, n_neighbors=4):
    """Return the neighbors of n points on a circle."""
    steps = [step for k in range(1, n_neighbors // 2 + 1) for step in (-k, k)]
    return (np.arange(n)[:, None] + steps) % n


def test_one_cluster_says_nothing_and_even_arcs_say_nearly_log_k():
    near = ring(400)
    assert neighbor_information(np.zeros(400, int), near) == 0
    assert math.log(4) * 0.9 < neighbor_information(np.arange(400) // 100, near) < math.log(4)


def test_merged_groups_and_clusters_at_random_say_less():
    near, arcs = ring(400), np.arange(400) // 100
    merged = np.minimum(arcs, 2)
    drawn = np.random.default_rng(0).integers(4, size=400)
    right = neighbor_information(arcs, near)
    assert neighbor_information(drawn, near) < 0.05 < neighbor_information(merged, near) < right - 0.2


def test_numbers_of_clusters_do_not_matter_and_weights_are_repetitions():
    near, arcs = ring(60), np.arange(60) // 20
    assert neighbor_information(np.array([70, 3, 12])[arcs], near) == pytest.approx(neighbor_information(arcs, near))
    weights = np.random.default_rng(0).integers(0, 3, size=60)
    repeated = np.repeat(np.arange(60), weights)
    doubled = np.concatenate([arcs[repeated], arcs])  # repeated rows point to the originals behind them
    pointing = np.concatenate([near[repeated] + len(repeated), np.zeros((60, 4), int)])
    only = np.concatenate([np.ones(len(repeated)), np.zeros(60)])
    assert neighbor_information(arcs, near, weights) == pytest.approx(neighbor_information(doubled, pointing, only))


def test_samples_without_neighbors_or_clusters_say_nothing():
    assert neighbor_information([0, 1], np.zeros((2, 0), int)) == 0
    assert neighbor_information([-1, -1, -1], [[1], [2], [0]]) == 0
