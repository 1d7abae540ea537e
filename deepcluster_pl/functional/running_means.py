"""Centers as running means: a sample moves its own by one over the number of samples seen there."""

from __future__ import annotations

import torch
from torch import Tensor


def moved_centers(z: Tensor, clusters: Tensor, centers: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """Move centers by the samples of a batch, as DCN does (Yang, Fu, Sidiropoulos, Hong 2017, equation 8).

    One sample after the other, its cluster's count c grows by one and its center moves by (z - μ) / c. A center that
    stood for c samples and sees n more has then moved by Σ (z - μ) / (c + n), with the μ it began from. This is
    computed for all clusters at once, as a matrix product, whose sums repeat exactly on a GPU too. The dtype is that
    of the centers, whatever the autocast state.

    Args:
        z: embeddings (N, D).
        clusters: cluster (N,) of each sample, decided before any center moves.
        centers: cluster centers μ (K, D).
        counts: number of samples (K,) that each center stands for, at least 1.

    Returns:
        The centers (K, D) and the counts (K,) afterwards.

    >>> one = torch.ones(1, dtype=torch.long)
    >>> moved_centers(torch.tensor([[3.0], [5.0]]), torch.zeros(2, dtype=torch.long), torch.tensor([[1.0]]), one)
    (tensor([[3.]]), tensor([3]))
    """
    with torch.autocast(z.device.type, enabled=False):
        z = z.to(centers.dtype)
        members = clusters[:, None] == torch.arange(len(centers), device=clusters.device)
        counts = counts + members.sum(dim=0)
        return centers + members.to(z.dtype).T @ (z - centers[clusters]) / counts[:, None], counts
