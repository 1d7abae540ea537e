"""Soft assignments and Gaussian densities agree with slow loops, and stay finite in low precision."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture

from deepcluster_pl.functional import (
    gaussian_log_density,
    log_soft_assignment,
    soft_assignment,
    squared_distances,
    target_distribution,
)


def slow_squared_distances(z, centers):
    table = np.zeros((len(z), len(centers)))
    for i, point in enumerate(z.tolist()):
        for j, center in enumerate(centers.tolist()):
            table[i, j] = sum((a - b) ** 2 for a, b in zip(point, center, strict=True))
    return table


def slow_soft_assignment(z, centers, alpha):
    q = (1 + slow_squared_distances(z, centers) / alpha) ** (-(alpha + 1) / 2)
    for row in q:
        row /= row.sum()
    return q


@pytest.fixture
def points():
    generator = torch.Generator().manual_seed(3)
    return torch.randn(40, 5, generator=generator), torch.randn(4, 5, generator=generator)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 7.0])
def test_assignment_agrees_with_the_slow_double_loop(points, alpha):
    z, centers = (tensor.double() for tensor in points)
    np.testing.assert_allclose(soft_assignment(z, centers, alpha), slow_soft_assignment(z, centers, alpha), rtol=1e-10)


def test_distances_agree_with_the_slow_double_loop(points):
    z, centers = (tensor.double() for tensor in points)
    np.testing.assert_allclose(squared_distances(z, centers), slow_squared_distances(z, centers), rtol=1e-12)


def test_small_distances_survive_far_from_the_origin():
    centers = torch.full((1, 2), 1000.0)
    z = centers + 2**-10
    assert squared_distances(z, centers).item() == pytest.approx(2 * 2**-20, rel=1e-5)


def test_rows_sum_to_one_and_the_nearest_center_wins(points):
    z, centers = points
    q = soft_assignment(z, centers)
    torch.testing.assert_close(q.sum(dim=1), torch.ones(len(z)))
    assert torch.equal(q.argmax(dim=1), squared_distances(z, centers).argmin(dim=1))


def test_one_cluster_gets_everything(points):
    z, centers = points
    assert torch.equal(soft_assignment(z, centers[:1]), torch.ones(len(z), 1))


@pytest.mark.parametrize("distance", [1e3, 1e10, 1e18])
def test_far_points_stay_finite(distance):
    z = torch.tensor([[distance, 0.0], [0.0, -distance]], requires_grad=True)
    log_q = log_soft_assignment(z, torch.eye(2))
    log_q.sum().backward()
    assert torch.isfinite(log_q).all()
    assert torch.isfinite(z.grad).all()
    torch.testing.assert_close(log_q.exp().sum(dim=1), torch.ones(2))


def test_logarithm_is_finite_and_the_loss_no_nan_where_q_and_p_are_zero():
    z = torch.tensor([[0.0, 0.0], [1e4, 0.0]])
    centers = torch.tensor([[0.0, 0.0], [1e4, 0.0]])
    log_q = log_soft_assignment(z, centers, alpha=50.0)
    q = log_q.exp()
    p = target_distribution(q)
    assert q.min() == 0
    assert p.min() == 0
    assert torch.isfinite(log_q).all()
    assert F.kl_div(log_q, p, reduction="batchmean").item() == pytest.approx(0, abs=1e-6)


def test_gradient_is_finite_where_an_embedding_sits_on_a_center():
    centers = torch.tensor([[0.0, 0.0], [1.0, 2.0]], requires_grad=True)
    z = torch.zeros(1, 2, requires_grad=True)
    log_soft_assignment(z, centers)[0, 1].backward()
    assert torch.isfinite(z.grad).all()
    assert torch.isfinite(centers.grad).all()
    assert centers.grad[1].abs().sum() > 0


def test_gradient_agrees_with_finite_differences(points):
    z, centers = (tensor[:4].double().requires_grad_() for tensor in points)
    assert torch.autograd.gradcheck(lambda a, b: log_soft_assignment(a, b, 2.0), (z, centers))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_embeddings_are_assigned_in_float32(points, dtype):
    z, centers = points[0].to(dtype), points[1]
    q = soft_assignment(z, centers)
    assert q.dtype == torch.float32
    np.testing.assert_allclose(q, slow_soft_assignment(z.double(), centers, 1.0), rtol=1e-4)


def test_autocast_changes_nothing(points):
    z, centers = points
    plain = log_soft_assignment(z, centers)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(log_soft_assignment(z, centers), plain)


@pytest.mark.parametrize("covariance_type", ["full", "diag"])
def test_gaussian_density_gives_the_posterior_of_scikit_learns_mixture(covariance_type):
    rng = np.random.default_rng(0)
    data = np.concatenate([rng.normal(m, s, size=(60, 3)) for m, s in ((0, 1), (3, 0.5), (-4, 2))])
    mixture = GaussianMixture(3, covariance_type=covariance_type, random_state=0).fit(data)
    means, factors, weights, z = map(
        torch.as_tensor, (mixture.means_, mixture.precisions_cholesky_, mixture.weights_, data)
    )
    joint = weights.log() + gaussian_log_density(z, means, factors)
    np.testing.assert_allclose(joint.softmax(dim=1), mixture.predict_proba(data), atol=1e-10)
    np.testing.assert_allclose(joint.logsumexp(dim=1), mixture.score_samples(data), rtol=1e-10)


def test_gaussian_density_agrees_with_scipy(points):
    z, means = (tensor.double() for tensor in points)
    mixer = torch.randn(4, 5, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    covariances = mixer @ mixer.mT + torch.eye(5, dtype=torch.float64)
    factors = torch.linalg.inv(torch.linalg.cholesky(covariances)).mT
    expected = [
        multivariate_normal(mean, covariance).logpdf(z) for mean, covariance in zip(means, covariances, strict=True)
    ]
    np.testing.assert_allclose(gaussian_log_density(z, means, factors), np.stack(expected, axis=1), rtol=1e-9)
