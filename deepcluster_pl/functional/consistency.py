"""Terms of SCAN's losses: agreement of two views of a sample, evenness of clusters, confident clusters as labels."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
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


def mean_entropy(log_p: Tensor, over_all: Callable[[Tensor], Tensor] | None = None) -> Tensor:
    """Compute the entropy of the mean probability of each cluster, in nats.

    It is log K where clusters are used evenly, and 0 where one takes all: the second term of SCAN's loss, with the
    sign turned (Van Gansbeke and others 2020, equation 2).

    Args:
        log_p: logarithms (..., N, K) of the probability of each sample in each cluster.
        over_all: takes the mean (..., K) over these samples to that over a larger batch, of which they are a part.

    Returns:
        Entropies (...), one for each leading index.

    >>> mean_entropy(torch.eye(2).log()).item()
    0.6931471824645996
    """
    mean = log_p.exp().mean(dim=-2)
    mean = mean if over_all is None else over_all(mean)
    return torch.special.entr(mean).sum(dim=-1)  # type: ignore[no-any-return]


def size_divergence(log_p: Tensor, shares: Tensor, over_all: Callable[[Tensor], Tensor] | None = None) -> Tensor:
    """Compute the divergence of the clusters' mean probabilities from given shares, in nats; which is which is free.

    Both are sorted, so the largest cluster is compared with the largest share. With even shares it is log K minus
    `mean_entropy`: that term of SCAN's loss for groups of any size.

    Args:
        log_p: logarithms (..., N, K) of the probability of each sample in each cluster.
        shares: positive shares (K,) of the samples that the clusters shall have, which sum to one.
        over_all: takes the mean (..., K) over these samples to that over a larger batch, of which they are a part.

    Returns:
        KL(sorted means, sorted shares) (...), one for each leading index, 0 or above.

    >>> p = torch.tensor([[0.0, 1.0], [0.5, 0.5]])
    >>> round(size_divergence(p.log(), torch.tensor([0.9, 0.1])).item(), 4)
    0.0923
    """
    mean = log_p.exp().mean(dim=-2)
    mean = mean if over_all is None else over_all(mean)
    ordered = mean.sort(dim=-1, descending=True).values
    expected = shares.sort(descending=True).values.log()
    return -(torch.special.entr(ordered) + ordered * expected).sum(dim=-1)  # type: ignore[no-any-return]


def self_labeling_loss(
    log_p: Tensor, log_other: Tensor, confidence: float, over_all: Callable[[Tensor], Tensor] | None = None
) -> tuple[Tensor, Tensor]:
    """Compute the cross-entropy of one view with the confident clusters of the other, every cluster weighing the same.

    It is SCAN's self-labeling (Van Gansbeke and others 2020, section 2.3), in nats. Without a confident sample the loss
    is zero.

    Args:
        log_p: logarithms (N, K) of the probabilities of one view, which give the labels.
        log_other: the same of the other view, which is trained.
        confidence: probability from which a cluster counts as a label.
        over_all: takes the number (K,) of confident samples of each cluster to that of a larger batch, of which these
            samples are a part. The loss of the larger batch is then the sum of those of its parts.

    Returns:
        The loss, and the share of confident samples.

    >>> p = torch.tensor([[0.9, 0.1], [0.5, 0.5]])
    >>> [round(value.item(), 4) for value in self_labeling_loss(p.log(), p.log(), 0.8)]
    [0.1054, 0.5]
    """
    probability, cluster = log_p.exp().max(dim=1)
    sure = probability >= confidence
    # Every cluster has the same weight, whatever its number of confident samples
    members = cluster[:, None] == torch.arange(log_p.shape[1], device=cluster.device)
    sizes = (members & sure[:, None]).sum(dim=0)
    sizes = sizes if over_all is None else over_all(sizes)
    weight = sure.float() / sizes[cluster].clamp_min(1) / (sizes > 0).sum().clamp_min(1)
    loss = (weight * F.nll_loss(log_other, cluster, reduction="none")).sum()
    return loss, sure.float().mean()
