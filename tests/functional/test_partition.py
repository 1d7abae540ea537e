"""Sizes, change, balance and collapse of partitions, at their ends and between them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from deepcluster_pl.functional import cluster_sizes, is_collapsed, share_changed, size_entropy


def test_sizes_agree_with_the_slow_count():
    clusters = torch.randint(6, (50,), generator=torch.Generator().manual_seed(0))
    assert cluster_sizes(clusters, 8).tolist() == [clusters.tolist().count(k) for k in range(8)]


def test_sizes_of_narrow_integers_are_right():
    clusters = torch.tensor([0, 1, 1], dtype=torch.uint8)
    assert cluster_sizes(clusters, 2).tolist() == [1, 2]


def test_share_changed_agrees_with_the_slow_count():
    generator = torch.Generator().manual_seed(1)
    before, after = (torch.randint(3, (40,), generator=generator) for _ in range(2))
    changed = sum(a != b for a, b in zip(before.tolist(), after.tolist(), strict=True))
    assert share_changed(before, after) == pytest.approx(changed / 40)
    assert share_changed(before, before) == 0


def test_assignments_of_different_samples_are_refused():
    with pytest.raises(ValueError, match=r"\(3,\) and \(1,\)"):
        share_changed(torch.zeros(3), torch.zeros(1))


@pytest.mark.parametrize("sizes", [[1, 1, 1], [10, 1, 5, 0], [0, 0, 7, 1]])
def test_entropy_agrees_with_scipy(sizes):
    expected = entropy(np.array(sizes)) / math.log(len(sizes))
    assert size_entropy(torch.tensor(sizes)) == pytest.approx(expected)


def test_entropy_runs_from_one_cluster_to_equal_clusters():
    assert size_entropy(torch.tensor([0, 9, 0])) == 0
    assert size_entropy(torch.tensor([3, 3, 3])) == pytest.approx(1)
    assert size_entropy(torch.tensor([5])) == 1


@pytest.mark.parametrize(
    ("sizes", "collapsed"),
    [([10, 0], True), ([4, 0, 3, 0], True), ([1, 0, 1], False), ([5, 5], False), ([10], False), ([9, 0, 0, 0], True)],
)
def test_collapse_means_half_of_the_clusters_are_empty(sizes, collapsed):
    assert is_collapsed(torch.tensor(sizes)) is collapsed
