"""The objective of k-means, hard and soft, against double loops; the growing inverse temperatures."""

from __future__ import annotations

import math

import pytest
import torch

from deepcluster_pl.functional import annealed_inverse_temperature, kmeans_loss, soft_kmeans_loss


def naive_soft(z, centers, a):
    """The paper's formula, nearest distance taken off as its text says, in Python numbers."""
    total = 0.0
    for sample in z.tolist():
        distances = [sum((u - v) ** 2 for u, v in zip(sample, mu, strict=True)) for mu in centers.tolist()]
        weights = [math.exp(-a * (d - min(distances))) for d in distances]
        total += sum(d * w for d, w in zip(distances, weights, strict=True)) / sum(weights)
    return total / len(z)


@pytest.fixture
def points():
    generator = torch.Generator().manual_seed(3)
    return torch.randn(30, 5, generator=generator), torch.randn(4, 5, generator=generator)


@pytest.mark.parametrize("a", [0.0, 0.1, 1.0, 1000.0])
def test_the_soft_loss_agrees_with_the_slow_double_loop(points, a):
    z, centers = points
    expected = naive_soft(z, centers, a)
    assert soft_kmeans_loss(z.double(), centers.double(), a).item() == pytest.approx(expected, rel=1e-6)
    assert soft_kmeans_loss(z, centers, a).item() == pytest.approx(expected, rel=1e-4)


def test_the_hard_loss_is_the_distance_to_the_nearest_center_and_the_soft_one_hardens_to_it(points):
    z, centers = points
    nearest = [min(sum((u - v) ** 2 for u, v in zip(s, m, strict=True)) for m in centers.tolist()) for s in z.tolist()]
    hard = kmeans_loss(z, centers).item()
    assert hard == pytest.approx(sum(nearest) / len(nearest), rel=1e-5)
    losses = [soft_kmeans_loss(z, centers, a).item() for a in (0.0, 0.1, 1.0, 10.0, 1e6)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] == pytest.approx(hard, rel=1e-5)


def test_gradients_agree_with_finite_differences(points):
    z, centers = (tensor[:4].double().requires_grad_() for tensor in points)
    assert torch.autograd.gradcheck(lambda a, b: soft_kmeans_loss(a, b, 0.7), (z, centers))
    assert torch.autograd.gradcheck(kmeans_loss, (z, centers))


@pytest.mark.parametrize("loss", [kmeans_loss, lambda z, centers: soft_kmeans_loss(z, centers, 1000.0)])
def test_far_samples_and_samples_on_a_center_have_finite_gradients(loss):
    z = torch.tensor([[0.0, 0.0], [1e6, -1e6], [1.0, 2.0]], requires_grad=True)
    centers = torch.tensor([[0.0, 0.0], [1.0, 2.0]], requires_grad=True)
    loss(z, centers).backward()
    assert torch.isfinite(z.grad).all()
    assert torch.isfinite(centers.grad).all()
    assert torch.equal(z.grad[[0, 2]], torch.zeros(2, 2))


def test_half_precision_is_computed_in_float32(points):
    z, centers = points[0].bfloat16(), points[1]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = kmeans_loss(z, centers), soft_kmeans_loss(z, centers, 0.1)
    assert [loss.dtype for loss in found] == [torch.float32] * 2
    assert found[0].item() == kmeans_loss(z.float(), centers).item()
    assert found[1].item() == pytest.approx(naive_soft(z, centers, 0.1), rel=1e-5)


def test_the_inverse_temperature_follows_the_papers_recurrence_term_by_term():
    term = 0.1
    for n in range(1, 41):
        term = term if n == 1 else 2 ** (1 / math.log(n) ** 2) * term
        assert annealed_inverse_temperature(0.1, n) == pytest.approx(term, rel=1e-12)
    assert 28 < term < 29
