"""Groups of any size: a large group is kept whole, small ones apart, and joining agrees with a loop over edges."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from deepcluster_pl.functional import groups_of_any_size, nearest_neighbors
from deepcluster_pl.functional.joined_communities import joined


def near(points, n=10):
    return nearest_neighbors(torch.from_numpy(points), n).numpy()


def naive_joined(groups, neighbors, k):
    groups = list(groups)
    while len(names := sorted(set(groups))) > k:
        edges = {}
        for i, row in enumerate(neighbors):
            for j in row:
                for pair in ((groups[i], groups[j]), (groups[j], groups[i])):
                    edges[pair] = edges.get(pair, 0) + 1
        degrees = {a: sum(edges.get((a, b), 0) for b in names) for a in names}
        crossing = {(a, b): edges.get((a, b), 0) / max(1, min(degrees[a], degrees[b])) for a in names for b in names}
        best = max((value, -names.index(a), -names.index(b)) for (a, b), value in crossing.items() if a < b)
        first, second = names[-best[1]], names[-best[2]]
        groups = [first if name == second else name for name in groups]
    return groups


@pytest.mark.parametrize("k", [2, 4])
def test_joining_agrees_with_a_loop_over_edges(k):
    draw = np.random.default_rng(0)
    points = draw.normal(size=(60, 2)).astype(np.float32)
    groups = draw.integers(7, size=60)
    ours, theirs = joined(groups, near(points, 4), k), naive_joined(groups, near(points, 4), k)
    assert len(set(ours.tolist())) == k == len(set(zip(ours.tolist(), theirs, strict=True)))


def test_a_group_of_nine_tenths_is_kept_whole_and_small_ones_apart():
    draw = np.random.default_rng(0)
    middles = np.repeat(6 * np.eye(3), [450, 40, 15], axis=0)
    points = (middles + draw.normal(size=(505, 3))).astype(np.float32)
    found = groups_of_any_size(points, near(points), 3, 0)
    assert found is not None
    assert sorted(np.bincount(found).tolist()) == pytest.approx([15, 40, 450], abs=3)


def test_many_clear_islands_are_no_evidence_for_a_few_groups_of_any_size():
    draw = np.random.default_rng(0)
    points = (np.repeat(20 * draw.normal(size=(30, 3)), 15, axis=0) + draw.normal(size=(450, 3))).astype(np.float32)
    assert groups_of_any_size(points, near(points), 3, 0) is None
    assert groups_of_any_size(points[:100], near(points[:100]), 3, 0) is None  # too few for finer communities
