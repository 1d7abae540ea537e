"""Agreement of pairs and evenness of clusters, against versions with plain loops."""

from __future__ import annotations

import math

import pytest
import torch

from deepcluster_pl.functional import consistency_loss, mean_entropy


def probabilities(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).softmax(dim=-1)


def naive_consistency(p, other):
    return sum(-math.log(sum(a * b for a, b in zip(x, y, strict=True))) for x, y in zip(p, other, strict=True)) / len(p)


def naive_entropy(p):
    mean = [sum(row[k] for row in p) / len(p) for k in range(len(p[0]))]
    return -sum(m * math.log(m) for m in mean if m > 0)


def test_every_head_is_its_own_mean_over_pairs():
    p, other = probabilities(3, 7, 4), probabilities(3, 7, 4, seed=1)
    found = consistency_loss(p.log(), other.log())
    assert found.shape == (3,)
    for h in range(3):
        assert found[h].item() == pytest.approx(naive_consistency(p[h].tolist(), other[h].tolist()), rel=1e-12)


def test_entropy_is_that_of_the_mean_and_not_the_mean_of_entropies():
    p = probabilities(2, 7, 4)
    found = mean_entropy(p.log())
    for h in range(2):
        assert found[h].item() == pytest.approx(naive_entropy(p[h].tolist()), rel=1e-12)
    certain = torch.eye(4).log()
    assert mean_entropy(certain).item() == pytest.approx(math.log(4))


def test_pairs_certain_of_the_same_cluster_cost_nothing_and_opposite_ones_stay_finite():
    logits = torch.tensor([[200.0, 0.0]], requires_grad=True)
    same = consistency_loss(logits.log_softmax(-1), logits.log_softmax(-1))
    opposite = consistency_loss(logits.log_softmax(-1), logits.flip(-1).log_softmax(-1))
    assert same.item() == pytest.approx(0.0, abs=1e-6)
    assert opposite.item() == pytest.approx(200.0, rel=0.01)
    opposite.backward()
    assert torch.isfinite(logits.grad).all()
