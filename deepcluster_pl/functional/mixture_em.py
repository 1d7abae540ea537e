"""Expectation and maximization of a Gaussian mixture, in float64 on any device."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from deepcluster_pl.functional.assignment import gaussian_log_density


@dataclass(frozen=True)
class MixtureResult:
    """A fitted mixture.

    Attributes:
        weights: weights (K,).
        means: means (K, D).
        covariances: covariances (K, D, D), or variances (K, D).
        precisions_cholesky: factors of the precisions, of the same shape; upper triangles, as scikit-learn's.
        log_likelihood: mean log-likelihood of a point, in nats.
        n_iter: iterations.
        converged: whether the gain fell below the tolerance.
    """

    weights: Tensor
    means: Tensor
    covariances: Tensor
    precisions_cholesky: Tensor
    log_likelihood: float
    n_iter: int
    converged: bool


@torch.no_grad()
def fit_mixture(
    x: Tensor, labels: Tensor, n_components: int, diagonal: bool, reg_covar: float, max_iter: int, tol: float
) -> MixtureResult:
    """Fit a Gaussian mixture from a partition (Dempster, Laird, Rubin 1977).

    Args:
        x: points (N, D), float64, on any device.
        labels: first component (N,) of each point.
        n_components: K.
        diagonal: whether covariances are diagonal.
        reg_covar: added to the variances.
        max_iter: iterations, at most.
        tol: gain of the mean log-likelihood that ends the fit, in nats.

    Returns:
        The mixture.

    Raises:
        ValueError: a covariance is not positive definite.
    """
    members = x.new_zeros(len(x), n_components)
    members[torch.arange(len(x), device=x.device), labels] = 1.0
    parameters = _maximize(x, members, diagonal, reg_covar)
    before, converged, number = -math.inf, False, 0
    for number in range(1, max_iter + 1):  # noqa: B007
        weights, means, _, factors = parameters
        joint = weights.log() + gaussian_log_density(x, means, factors)
        likelihood = torch.logsumexp(joint, dim=1)
        now = float(likelihood.mean())
        parameters = _maximize(x, (joint - likelihood[:, None]).exp(), diagonal, reg_covar)
        converged, before = abs(now - before) < tol, now
        if converged:
            break
    return MixtureResult(*parameters, before, number, converged)


def _maximize(x: Tensor, members: Tensor, diagonal: bool, reg_covar: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return weights, means, covariances and factors of the precisions for memberships (N, K)."""
    counts = members.sum(dim=0) + 10 * torch.finfo(x.dtype).eps
    means = (members.T @ x) / counts[:, None]
    weights = counts / counts.sum()
    if diagonal:
        variances = (members.T @ x.square()) / counts[:, None] - means.square() + reg_covar
        if not bool((variances > 0).all()):
            raise ValueError(_SINGULAR)
        return weights, means, variances, variances.rsqrt()
    covariances, factors = [], []
    for k in range(len(means)):
        away = x - means[k]
        covariance = (members[:, k, None] * away).T @ away / counts[k]
        covariance.diagonal().add_(reg_covar)
        factor, info = torch.linalg.cholesky_ex(covariance)
        if int(info):
            raise ValueError(_SINGULAR)
        covariances.append(covariance)
        eye = torch.eye(len(factor), dtype=x.dtype, device=x.device)
        factors.append(torch.linalg.solve_triangular(factor, eye, upper=False).T)
    return weights, means, torch.stack(covariances), torch.stack(factors)


_SINGULAR = "a covariance of the mixture is not positive definite: type fewer clusters, or a larger start.reg_covar"
