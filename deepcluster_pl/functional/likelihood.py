"""The Bayesian information criterion of a partition, with one Gaussian for each cluster."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from deepcluster_pl.functional.assignment import gaussian_log_density


def partition_bic(z: Tensor, clusters: Tensor, ridge: float = 1e-6) -> float:
    """Compute the Bayesian information criterion of a mixture with the partition's own weights, means and covariances.

    -2 log L + p log N (Schwarz 1978), where L is the likelihood of all embeddings under that mixture and p its number
    of free parameters, (J - 1) + J D + J D (D + 1) / 2 for the J clusters that hold samples. Only values of the same
    embeddings compare. It is computed in float64.

    Args:
        z: embeddings (N, D).
        clusters: cluster (N,) of each sample, from 0.
        ridge: part of the variance of all embeddings that is added to each covariance's diagonal.

    Returns:
        The criterion; the smaller, the better.

    >>> z = torch.tensor([[0.0], [1.0], [10.0], [11.0]])
    >>> partition_bic(z, torch.tensor([0, 0, 1, 1])) < partition_bic(z, torch.tensor([0, 1, 0, 1]))
    True
    """
    z = z.double()
    n, d = z.shape
    floor = ridge * float(z.var(dim=0, unbiased=False).mean()) + 1e-12
    # The Gaussian of each cluster that holds samples
    means, factors, weights = [], [], []
    for cluster in torch.unique(clusters):
        members = z[clusters == cluster]
        mean = members.mean(dim=0)
        covariance = (members - mean).T @ (members - mean) / len(members) + floor * torch.eye(d).to(z)
        means.append(mean)
        factors.append(torch.linalg.inv(torch.linalg.cholesky(covariance)).T)  # upper P with P Pᵀ the precision
        weights.append(len(members) / n)
    # The log likelihood of all embeddings under the mixture of these Gaussians
    density = gaussian_log_density(z, torch.stack(means), torch.stack(factors))
    likelihood = torch.logsumexp(density + torch.tensor(weights, dtype=z.dtype, device=z.device).log(), dim=1).sum()
    # The price of its free parameters
    n_found = len(means)
    n_parameters = (n_found - 1) + n_found * d + n_found * d * (d + 1) // 2
    return float(-2 * likelihood) + n_parameters * math.log(n)
