"""Agreement of two views of a sample on its cluster, and evenness of the use of clusters, as SCAN trains on them."""

from __future__ import annotations

import torch
from torch import Tensor


def consistency_loss(log_p: Tensor, log_other: Tensor) -> Tensor:
    """Compute the mean over samples of -log Σ_k p_k p'_k, in nats.

    The loss is zero where both views are certain of the same cluster. It is the first term of SCAN's loss (Van
    Gansbeke, Vandenhende, Georgoulis, Proesmans, Van Gool 2020, equation 2).

    Args:
        log_p: logarithms (..., N, K) of the probability of each sample in each cluster.
        log_other: the same of each sample's partner.

    Returns:
        Losses (...), one for each leading index, 0 or above.

    >>> consistency_loss(torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.5, 0.5]]).log()).item()
    0.6931471824645996
    """
    return -torch.logsumexp(log_p + log_other, dim=-1).mean(dim=-1)


def mean_entropy(log_p: Tensor) -> Tensor:
    """Compute the entropy of the mean probability of each cluster, in nats.

    It is log K where clusters are used evenly, and 0 where one takes all: the second term of SCAN's loss, with the
    sign turned (Van Gansbeke and others 2020, equation 2).

    Args:
        log_p: logarithms (..., N, K) of the probability of each sample in each cluster.

    Returns:
        Entropies (...), one for each leading index.

    >>> mean_entropy(torch.eye(2).log()).item()
    0.6931471824645996
    """
    mean = log_p.exp().mean(dim=-2)
    return torch.special.entr(mean).sum(dim=-1)  # type: ignore[no-any-return]
