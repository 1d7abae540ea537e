"""How well one Gaussian for each cluster describes embeddings, and at what price in parameters."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from deepcluster_pl.functional.assignment import gaussian_log_density


def partition_bic(z: Tensor, clusters: Tensor, ridge: float = 1e-6) -> float:
    """Bayesian information criterion of a mixture with the partition's own shares, means and full covariances.

    -2 log L + p log N (Schwarz 1978), L being the likelihood of all embeddings under that mixture and p its number of
    free parameters, (J - 1) + J D + J D (D + 1) / 2 for the J clusters that hold samples. The smaller the better; only
    values of the same embeddings compare.

    Args:
        z: embeddings (N, D).
        clusters: (N,), from 0.
        ridge: added to each covariance's diagonal, times the variance of all embeddings.

    >>> z = torch.tensor([[0.0], [1.0], [10.0], [11.0]])
    >>> partition_bic(z, torch.tensor([0, 0, 1, 1])) < partition_bic(z, torch.tensor([0, 1, 0, 1]))
    True
    """
    z = z.double()
    n, d = z.shape
    floor = ridge * float(z.var(dim=0, unbiased=False).mean()) + 1e-12
    means, factors, shares = [], [], []
    for cluster in torch.unique(clusters):
        members = z[clusters == cluster]
        middle = members.mean(dim=0)
        covariance = (members - middle).T @ (members - middle) / len(members) + floor * torch.eye(d).to(z)
        means.append(middle)
        factors.append(torch.linalg.inv(torch.linalg.cholesky(covariance)).T)  # upper P with P Pᵀ the precision
        shares.append(len(members) / n)
    density = gaussian_log_density(z, torch.stack(means), torch.stack(factors))
    likelihood = torch.logsumexp(density + torch.tensor(shares, dtype=z.dtype, device=z.device).log(), dim=1).sum()
    n_found = len(means)
    free = (n_found - 1) + n_found * d + n_found * d * (d + 1) // 2
    return float(-2 * likelihood) + free * math.log(n)
