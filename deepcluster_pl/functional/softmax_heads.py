"""Softmax heads on embeddings that start from given centers."""

from __future__ import annotations

import torch
from torch import Tensor


def initial_heads(centers: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the weights and biases of linear heads, of which the first assigns to the nearest center.

    The first head's logits are -2 |z - μ_k|² / s up to a term common to all k, with s the mean squared distance of two
    centers. The other heads have the given directions, are as sharp, and are centered at the mean of the centers.

    Args:
        centers: cluster centers μ (K, D).
        directions: standard normal draws (H · K, D) for H heads; those of the first are not used.

    Returns:
        Weights (H · K, D) and biases (H · K,), finite where all centers are one.

    >>> weight, bias = initial_heads(torch.tensor([[0.0], [2.0]]), torch.zeros(2, 1))
    >>> (torch.tensor([[0.5]]) @ weight.T + bias).softmax(dim=1).argmax().item()
    0
    """
    k = len(centers)
    middle = centers.mean(dim=0)
    apart = torch.pdist(centers).square().mean() if k > 1 else centers.new_zeros(())
    apart = torch.where(apart > 0, apart, 1.0)
    # Random heads: |μ - middle|² is on average half of the squared distance of two centers
    weight = directions / (apart / 2).sqrt()
    # The first head: |z - μ|² without |z|², which is the same for all clusters
    weight[:k] = 4 / apart * (centers - middle)
    bias = -weight @ middle
    bias[:k] = -2 / apart * (centers.square().sum(dim=1) - middle.square().sum())
    return weight, bias
