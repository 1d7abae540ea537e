"""Initial heads: the first is a softmax of distances to the centers, the others are as sharp, and all are finite."""

from __future__ import annotations

import pytest
import torch

from deepcluster_pl.functional import initial_heads

K, D, HEADS = 4, 3, 200


def drawn(*shape, seed):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_first_head_is_a_softmax_of_squared_distances():
    centers, z = drawn(K, D, seed=0), drawn(50, D, seed=1)
    weight, bias = initial_heads(centers, drawn(HEADS * K, D, seed=2))
    apart = sum(float(((a - b) ** 2).sum()) for a in centers for b in centers) / (K * (K - 1))
    for sample, row in zip(z, (z @ weight[:K].T + bias[:K]).softmax(dim=1), strict=True):
        logits = torch.tensor([-2 * float(((sample - mu) ** 2).sum()) / apart for mu in centers], dtype=torch.float64)
        torch.testing.assert_close(row, logits.softmax(dim=0))


def test_the_other_heads_are_even_at_the_mean_of_the_centers():
    centers = drawn(K, D, seed=0)
    weight, bias = initial_heads(centers, drawn(HEADS * K, D, seed=2))
    logits = weight[K:] @ centers.mean(dim=0) + bias[K:]
    torch.testing.assert_close(logits, torch.zeros_like(logits))


@pytest.mark.parametrize("centers", [torch.ones(3, 2), torch.ones(1, 2)], ids=["equal", "one"])
def test_centers_without_a_distance_give_finite_heads(centers):
    weight, bias = initial_heads(centers, torch.randn(2 * len(centers), 2))
    assert torch.isfinite(weight).all()
    assert torch.isfinite(bias).all()
