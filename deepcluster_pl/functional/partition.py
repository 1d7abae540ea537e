"""Properties of a partition that need no labels: sizes, balance, change, collapse."""

from __future__ import annotations

import torch
from torch import Tensor


def cluster_sizes(clusters: Tensor, n_clusters: int) -> Tensor:
    """Count the samples in each cluster 0 … K-1, empty ones included.

    Args:
        clusters: cluster (N,) of each sample, from 0.
        n_clusters: K.

    Returns:
        Counts (K,), int64, on the CPU.

    >>> cluster_sizes(torch.tensor([0, 2, 2]), 4).tolist()
    [1, 0, 2, 0]
    """
    return torch.bincount(clusters.long().cpu(), minlength=n_clusters)


def share_changed(before: Tensor, after: Tensor) -> float:
    """Return the share of samples whose cluster differs between two assignments of the same samples.

    Args:
        before: cluster (N,) of each sample in the first assignment.
        after: cluster (N,) of each sample in the second one.

    Returns:
        A share from 0 to 1.

    Raises:
        ValueError: the assignments differ in shape.

    >>> share_changed(torch.tensor([0, 1, 1, 1]), torch.tensor([0, 1, 1, 0]))
    0.25
    """
    if before.shape != after.shape:
        raise ValueError(f"assignments differ in shape: {tuple(before.shape)} and {tuple(after.shape)}")
    return float((before != after).double().mean())


def size_entropy(sizes: Tensor) -> float:
    """Compute the entropy of the cluster sizes, divided by log K.

    Args:
        sizes: number of samples (K,) in each cluster.

    Returns:
        A number from 0, one cluster holds everything, to 1, all are equal; 1 for a single cluster.

    >>> size_entropy(torch.tensor([5, 5])), size_entropy(torch.tensor([10, 0]))
    (1.0, 0.0)
    """
    if len(sizes) < 2:
        return 1.0
    shares = sizes.double() / sizes.sum()
    entropy = torch.special.entr(shares).sum() / torch.log(torch.tensor(float(len(sizes)), dtype=torch.float64))
    return float(entropy) + 0.0  # + 0.0: -0.0 is 0.0


def is_collapsed(sizes: Tensor) -> bool:
    """Return True if at least half of the clusters are empty; never with a single cluster.

    Args:
        sizes: number of samples (K,) in each cluster.

    >>> is_collapsed(torch.tensor([7, 0, 0, 3])), is_collapsed(torch.tensor([7, 0, 3]))
    (True, False)
    """
    return len(sizes) > 1 and int((sizes == 0).sum()) * 2 >= len(sizes)
