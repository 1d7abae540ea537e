"""The two parts of the evidence lower bound of an autoencoder whose embeddings follow a mixture of Gaussians."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor


def mixture_divergence(
    mean: Tensor,
    log_variance: Tensor,
    log_probabilities: Tensor,
    log_weights: Tensor,
    centers: Tensor,
    log_variances: Tensor,
) -> Tensor:
    """Compute KL(q(z, c | x) ‖ p(z, c)) in nats, of each sample's Gaussian and clusters from a mixture of Gaussians.

    Σ_c γ_c · (log γ_c - log π_c + KL(N(μ, σ²) ‖ N(μ_c, σ_c²))), all variances diagonal. VaDE's bound subtracts this
    from the reconstruction's likelihood, in closed form (Jiang, Zheng, Tan, Tang, Zhou 2017). The divergence is never
    below zero where probabilities and weights sum to one. It is computed in the precision of the arguments, whatever
    the autocast state.

    Args:
        mean: μ (N, D) of each sample's Gaussian.
        log_variance: log σ² (N, D) of each sample's Gaussian.
        log_probabilities: log γ (N, K) of each sample in each cluster.
        log_weights: log π (K,) of the mixture's components.
        centers: means μ_c (K, D) of the components.
        log_variances: log σ_c² (K, D) of the components.

    Returns:
        Divergences (N,), in nats.

    >>> one = torch.zeros(1, 1)
    >>> mixture_divergence(one + 2, one, one, one[0], one, one).item()
    2.0
    """
    with torch.autocast(mean.device.type, enabled=False):
        # Divergence (N, K) of each sample's Gaussian from each component, summed over dimensions
        squares = (mean[:, None] - centers).square()
        ratios = torch.exp(log_variance[:, None] - log_variances) + squares * torch.exp(-log_variances)
        gaussians = 0.5 * (log_variances - log_variance[:, None] + ratios - 1).sum(dim=2)
        # Its mean over clusters, and the divergence of the probabilities from the weights
        return (log_probabilities.exp() * (log_probabilities - log_weights + gaussians)).sum(dim=1)


def gaussian_loss(
    decoded: Tensor, x: Tensor, noise_floor: float, over_all: Callable[[Tensor], Tensor] | None = None
) -> tuple[Tensor, Tensor]:
    """Compute -log N(x; decoded, s²·I), summed over a sample's values and averaged over samples, at the best s².

    s² is the one that fits this batch best, the mean squared error itself (Rybkin, Daniilidis, Levine 2021), but at
    least `noise_floor` times the variance of x within the batch. Without that floor, a decoder that makes no error at
    all would outweigh every other term. No gradient reaches s², and none is lost: at the best s² it is zero.

    Args:
        decoded: reconstructed samples (N, ...).
        x: the samples (N, ...) themselves.
        noise_floor: share of the variance of x that always counts as noise, from 0 to 1.
        over_all: takes a mean over these samples to that over the samples of a larger batch, of which they are a part.
            s² is then that of the larger batch, and so is the mean of the losses of its parts.

    Returns:
        The loss in nats, and the s² it was taken at, in the square of x's unit.

    >>> loss, variance = gaussian_loss(torch.zeros(1, 2), torch.tensor([[3.0, -3.0]]), 0.0)
    >>> round(loss.item(), 4), variance.item()
    (5.0351, 9.0)
    """
    with torch.autocast(x.device.type, enabled=False):
        squares = (decoded.to(x.dtype) - x).square()
        # The best variance for this batch, but at least the floor
        error = squares.mean().detach()
        if over_all is None:
            spread = x.var(dim=0, correction=0).mean()
        else:
            spread = over_all((x - over_all(x.mean(dim=0))).square().mean(dim=0)).mean()
            error = over_all(error)
        variance = torch.maximum(error, noise_floor * spread).clamp_min(1e-12)
        # The negative log likelihood of one value, times the number of values in a sample
        n_values = squares[0].numel()
        return 0.5 * n_values * (squares.mean() / variance + torch.log(2 * math.pi * variance)), variance
