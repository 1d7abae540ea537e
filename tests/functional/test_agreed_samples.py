"""Samples that their neighbors agree with: the choice by rank beside a loop, and weights that balance clusters."""

from __future__ import annotations

import pytest
import torch

from deepcluster_pl.functional import balancing_weights, most_agreed, neighbor_agreement


def test_agreement_is_the_share_of_neighbors_in_the_same_cluster():
    generator = torch.Generator().manual_seed(0)
    clusters = torch.randint(3, (30,), generator=generator)
    neighbors = torch.randint(30, (30, 5), generator=generator)
    expected = [sum(clusters[j] == clusters[i] for j in neighbors[i]).item() / 5 for i in range(30)]
    assert neighbor_agreement(clusters, neighbors).tolist() == pytest.approx(expected)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.85, 1.0])
def test_every_cluster_keeps_its_share_of_the_most_agreed(share):
    generator = torch.Generator().manual_seed(1)
    clusters = torch.randint(4, (200,), generator=generator) * 2  # every second cluster is empty
    agreement = torch.rand(200, generator=generator)
    expected = []
    for k in range(7):
        members = [i for i in range(200) if clusters[i] == k]
        members.sort(key=lambda i: -agreement[i])
        expected += members[: max(1, int(share * len(members)))]
    assert most_agreed(clusters, agreement, share).tolist() == sorted(expected)


def test_weights_give_every_cluster_the_same_sum_and_samples_a_mean_of_one():
    clusters = torch.tensor([0] * 90 + [2] * 9 + [3])
    weights = balancing_weights(clusters, 5, 1.0)
    sums = torch.bincount(clusters, weights[clusters].double(), minlength=5)
    torch.testing.assert_close(sums[[0, 2, 3]], torch.full((3,), 100 / 3, dtype=torch.float64), rtol=1e-5, atol=0)
    assert weights[[1, 4]].tolist() == [0, 0]
    assert balancing_weights(clusters, 5, 0.0)[clusters].tolist() == [1.0] * 100
