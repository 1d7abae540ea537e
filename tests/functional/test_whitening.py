"""Whitening gives a round pooled covariance by the map that changes least, and densities that follow."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from scipy.stats import multivariate_normal

from deepcluster_pl.functional import (
    gaussian_log_density,
    mapped_precisions,
    pooled_covariance,
    whitening_matrix,
)

N, D, K = 30, 3, 2


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def covariance(seed=0):
    factor = randn(D, D, seed=seed)
    return factor @ factor.T


def precisions_cholesky(covariances):
    """Upper triangular, as scikit-learn has them."""
    return torch.stack([torch.linalg.inv(torch.linalg.cholesky(c)).T for c in covariances])


def test_pooled_covariance_agrees_with_the_slow_loops():
    z, centers, probabilities = randn(N, D), randn(K, D, seed=1), torch.softmax(randn(N, K, seed=2), dim=1)
    probabilities[4] = 0  # a sample of no group
    expected = [[0.0] * D for _ in range(D)]
    for i in range(N):
        for j in range(K):
            for a in range(D):
                for b in range(D):
                    product = float(z[i, a] - centers[j, a]) * float(z[i, b] - centers[j, b])
                    expected[a][b] += float(probabilities[i, j]) * product / (N - 1)
    np.testing.assert_allclose(pooled_covariance(z, centers, probabilities), expected)


@pytest.mark.parametrize("total", [1.0, 12.0])
def test_a_whitened_covariance_is_round_and_has_the_total_asked_for(total):
    matrix = whitening_matrix(covariance(), total)
    torch.testing.assert_close(matrix @ covariance() @ matrix.T, total / D * torch.eye(D, dtype=torch.float64))


def test_the_matrix_is_the_inverse_square_root_which_is_symmetric_and_positive():
    matrix = whitening_matrix(covariance(), float(D))
    np.testing.assert_allclose(matrix, np.linalg.inv(sqrtm(covariance().numpy())), rtol=1e-8)


def test_a_round_covariance_of_that_total_is_left_alone():
    eye = torch.eye(D, dtype=torch.float64)
    torch.testing.assert_close(whitening_matrix(eye, float(D)), eye)


def test_a_dead_axis_stays_finite():
    matrix = whitening_matrix(torch.diag(torch.tensor([4.0, 1.0, 0.0])), 3.0)
    np.testing.assert_allclose(matrix.diagonal(), [0.5, 1.0, 500.0], rtol=1e-5)


def test_no_variance_at_all_is_an_error():
    with pytest.raises(ValueError, match="no variance to whiten"):
        whitening_matrix(torch.zeros(D, D), 1.0)


@pytest.mark.parametrize("diagonal", [False, True])
def test_densities_follow_the_points(diagonal):
    matrix, means, z = randn(D, D, seed=5), randn(K, D, seed=1), randn(N, D)
    covariances = torch.stack([covariance(seed) for seed in (7, 8)])
    if diagonal:
        covariances = torch.diag_embed(covariances.diagonal(dim1=1, dim2=2))
    factors = precisions_cholesky(covariances)
    mapped = mapped_precisions(factors.diagonal(dim1=1, dim2=2) if diagonal else factors, matrix)
    found = gaussian_log_density(z @ matrix.T, means @ matrix.T, mapped)
    for j in range(K):
        expected = multivariate_normal(matrix @ means[j], matrix @ covariances[j] @ matrix.T).logpdf(z @ matrix.T)
        np.testing.assert_allclose(found[:, j], expected)


def test_mapped_factors_are_those_of_scikit_learns_convention():
    matrix, factors = randn(D, D, seed=5), precisions_cholesky([covariance(7), covariance(8)])
    expected = precisions_cholesky([matrix @ covariance(seed) @ matrix.T for seed in (7, 8)])
    torch.testing.assert_close(mapped_precisions(factors, matrix), expected)
