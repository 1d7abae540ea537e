"""How much two views of a thing agree on its cluster, and how evenly clusters are used."""

from __future__ import annotations

import torch
from torch import Tensor


def consistency_loss(log_p: Tensor, log_other: Tensor) -> Tensor:
    """Mean over samples of -log Σ_k p_k p'_k: zero where both are certain of the same cluster (SCAN, equation 2).

    Args:
        log_p: logarithms (..., N, K) of each sample's shares in the clusters.
        log_other: the same of each sample's partner.

    >>> consistency_loss(torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.5, 0.5]]).log()).item()
    0.6931471824645996
    """
    return -torch.logsumexp(log_p + log_other, dim=-1).mean(dim=-1)


def mean_entropy(log_p: Tensor) -> Tensor:
    """Entropy of the mean share of each cluster: log K where clusters are used evenly, 0 where one takes all.

    Args:
        log_p: logarithms (..., N, K) of each sample's shares.

    >>> mean_entropy(torch.eye(2).log()).item()
    0.6931471824645996
    """
    mean = log_p.exp().mean(dim=-2)
    return torch.special.entr(mean).sum(dim=-1)  # type: ignore[no-any-return]
