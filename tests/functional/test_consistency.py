"""Agreement of pairs, evenness of clusters and confident labels, against versions with plain loops."""

from __future__ import annotations

import math

import pytest
import torch

from deepcluster_pl.functional import consistency_loss, mean_entropy, self_labeling_loss, size_divergence


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


def test_confident_clusters_are_labels_and_every_cluster_weighs_the_same():
    p, other = probabilities(40, 3), probabilities(40, 3, seed=1)
    loss, sure = self_labeling_loss(p.log(), other.log(), 0.6)
    by_cluster = {}
    for row, trained in zip(p.tolist(), other.tolist(), strict=True):
        if max(row) >= 0.6:
            k = row.index(max(row))
            by_cluster.setdefault(k, []).append(-math.log(trained[k]))
    assert len(by_cluster) > 1
    means = [sum(values) / len(values) for values in by_cluster.values()]
    assert loss.item() == pytest.approx(sum(means) / len(means), rel=1e-6)
    assert sure.item() == pytest.approx(sum(map(len, by_cluster.values())) / 40)


def test_without_a_confident_sample_the_loss_and_its_gradient_are_zero():
    logits = torch.randn(5, 3, requires_grad=True)
    loss, sure = self_labeling_loss(torch.full((5, 3), 1 / 3).log(), logits.log_softmax(-1), 0.9)
    loss.backward()
    assert (loss.item(), sure.item()) == (0.0, 0.0)
    assert torch.equal(logits.grad, torch.zeros(5, 3))


def test_losses_of_the_parts_of_a_batch_add_up_to_that_of_the_batch():
    p, other = probabilities(40, 3), probabilities(40, 3, seed=1)
    whole, _ = self_labeling_loss(p.log(), other.log(), 0.6)
    probability, cluster = p.max(dim=1)
    sizes = torch.bincount(cluster[probability >= 0.6], minlength=3)
    parts = [
        self_labeling_loss(*some, 0.6, lambda _: sizes)[0]
        for some in ((p[:13].log(), other[:13].log()), (p[13:].log(), other[13:].log()))
    ]
    assert sum(parts).item() == pytest.approx(whole.item(), rel=1e-12)


def test_divergence_from_sizes_is_that_of_sorted_means_and_the_entropy_for_even_ones():
    p = torch.softmax(torch.randn(2, 30, 4, generator=torch.Generator().manual_seed(0)), dim=2)
    shares = [0.1, 0.6, 0.05, 0.25]
    found = size_divergence(p.log(), torch.tensor(shares)).tolist()
    for head, value in zip(p.tolist(), found, strict=True):
        means = sorted(sum(row[k] for row in head) / 30 for k in range(4))
        expected = sum(m * math.log(m / share) for m, share in zip(means, sorted(shares), strict=True))
        assert value == pytest.approx(expected, abs=1e-6)
    even = size_divergence(p.log(), torch.full((4,), 0.25))
    torch.testing.assert_close(even, math.log(4) - mean_entropy(p.log()))
