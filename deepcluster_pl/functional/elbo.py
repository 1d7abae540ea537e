"""The two parts of the evidence lower bound of an autoencoder whose code is a mixture: what is lost, what it costs."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def mixture_divergence(
    mean: Tensor, log_variance: Tensor, log_shares: Tensor, log_weights: Tensor, centers: Tensor, log_variances: Tensor
) -> Tensor:
    """KL(q(z, c | x) ‖ p(z, c)) (N,) in nats between a Gaussian with shares in clusters and a mixture of Gaussians.

    Σ_c γ_c · (log γ_c - log π_c + KL(N(μ, σ²) ‖ N(μ_c, σ_c²))), all variances diagonal: in closed form what VaDE's
    bound takes off the reconstruction (Jiang, Zheng, Tan, Tang, Zhou 2017). Never below zero where shares and weights
    sum to one. Computed in the precision of its arguments, whatever the autocast state.

    Args:
        mean: μ (N, D) of each sample's Gaussian.
        log_variance: log σ² (N, D).
        log_shares: log γ (N, K).
        log_weights: log π (K,).
        centers: μ_c (K, D).
        log_variances: log σ_c² (K, D).

    >>> one = torch.zeros(1, 1)
    >>> mixture_divergence(one + 2, one, one, one[0], one, one).item()
    2.0
    """
    with torch.autocast(mean.device.type, enabled=False):
        apart = (mean[:, None] - centers).square()
        wide = torch.exp(log_variance[:, None] - log_variances) + apart * torch.exp(-log_variances)
        gaussians = 0.5 * (log_variances - log_variance[:, None] + wide - 1).sum(dim=2)
        return (log_shares.exp() * (log_shares - log_weights + gaussians)).sum(dim=1)


def gaussian_loss(decoded: Tensor, x: Tensor, noise_floor: float) -> tuple[Tensor, Tensor]:
    """-log N(x; decoded, s²·I), summed over a sample's values and averaged over samples, and the s² it was taken at.

    s² is the one that fits this batch best, the mean squared error itself (Rybkin, Daniilidis, Levine 2021), but at
    least `noise_floor` times the variance of x within the batch: a decoder that makes no error at all would otherwise
    outweigh everything beside it. No gradient reaches s², and none is lost: at the best s² it is zero.

    Args:
        decoded: (N, ...).
        x: what should have been decoded, of the same shape.
        noise_floor: share of the variance of x that always counts as noise.

    >>> loss, variance = gaussian_loss(torch.zeros(1, 2), torch.tensor([[3.0, -3.0]]), 0.0)
    >>> round(loss.item(), 4), variance.item()
    (5.0351, 9.0)
    """
    with torch.autocast(x.device.type, enabled=False):
        squares = (decoded.to(x.dtype) - x).square()
        floor = noise_floor * x.var(dim=0, correction=0).mean()
        variance = torch.maximum(squares.mean().detach(), floor).clamp_min(1e-12)
        values = squares[0].numel()
        return 0.5 * values * (squares.mean() / variance + torch.log(2 * math.pi * variance)), variance
