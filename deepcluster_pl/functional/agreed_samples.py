"""The samples that their neighbors agree with: the same share of every cluster, and the weight of each cluster."""

from __future__ import annotations

import torch
from torch import Tensor


def neighbor_agreement(clusters: Tensor, neighbors: Tensor) -> Tensor:
    """Return for each sample the share of its neighbors that are in its cluster.

    Args:
        clusters: cluster (N,) of each sample.
        neighbors: row numbers (N, n) of each sample's neighbors.

    Returns:
        A number (N,) from 0 to 1 for each sample, float32.

    >>> neighbor_agreement(torch.tensor([0, 0, 1]), torch.tensor([[1, 2], [0, 2], [0, 1]])).tolist()
    [0.5, 0.5, 0.0]
    """
    return (clusters[neighbors.long()] == clusters[:, None]).float().mean(dim=1)


def most_agreed(clusters: Tensor, agreement: Tensor, share: float) -> Tensor:
    """Choose a share of every cluster: the samples whose neighbors agree most with them.

    The choice is by rank within the cluster, so that every cluster keeps its share however clear it is. A cluster that
    holds a sample keeps at least one. Of equal samples the first in order are chosen.

    Args:
        clusters: cluster (N,) of each sample.
        agreement: how far its neighbors agree with it (N,).
        share: part of each cluster that is chosen, from 0 to 1.

    Returns:
        Row numbers (M,) of the chosen samples, in ascending order.

    >>> most_agreed(torch.tensor([0, 0, 0, 0, 1]), torch.tensor([0.1, 0.9, 0.5, 0.7, 0.2]), 0.5).tolist()
    [1, 3, 4]
    """
    # Sort by cluster, and within each by agreement, the largest first
    order = torch.argsort(agreement, descending=True, stable=True)
    order = order[torch.argsort(clusters[order], stable=True)]
    sizes = torch.bincount(clusters)
    # Rank of each sample within its cluster
    first = torch.cumsum(sizes, dim=0) - sizes
    rank = torch.arange(len(clusters), device=clusters.device) - first[clusters[order]]
    most = (sizes * share).long().clamp(min=1)
    return order[rank < most[clusters[order]]].sort().values


def balancing_weights(clusters: Tensor, n_clusters: int, power: float) -> Tensor:
    """Compute weights that give every cluster the same sum, or come near to it.

    Args:
        clusters: cluster (N,) of each sample.
        n_clusters: K.
        power: 1 balances the clusters, 0 leaves every sample with weight 1.

    Returns:
        Weight (K,) of the samples of each cluster, of mean 1 over the samples; 0 for an empty cluster.

    >>> balancing_weights(torch.tensor([0, 0, 0, 1]), 3, 1.0).tolist()
    [0.6666666865348816, 2.0, 0.0]
    """
    sizes = torch.bincount(clusters, minlength=n_clusters).float()
    weights = torch.where(sizes > 0, sizes.clamp(min=1) ** -power, 0.0)
    return weights * sizes.sum() / (weights * sizes).sum()
