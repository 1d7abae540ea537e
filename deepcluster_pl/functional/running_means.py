"""Centers as running means: a sample moves its own by one over the number of samples seen there."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def moved_centers(z: Tensor, clusters: Tensor, centers: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """Centers (K, D) and counts (K,) after the samples of a batch moved them (Yang and others 2017, equation 8).

    One sample after the other, its cluster's count c grows by one and its center moves by (z - μ) / c. A center that
    stood for c samples and sees n more has then moved by Σ (z - μ) / (c + n), with the μ it began from. That is what is
    computed, for all clusters at once, as a matrix product: its sums repeat exactly on a GPU too. In the dtype of the
    centers whatever the autocast state.

    Args:
        z: embeddings (N, D).
        clusters: the cluster (N,) of each, decided before any center moves.
        centers: μ (K, D).
        counts: whole numbers (K,), at least 1: how many samples each center stands for.

    >>> one = torch.ones(1, dtype=torch.long)
    >>> moved_centers(torch.tensor([[3.0], [5.0]]), torch.zeros(2, dtype=torch.long), torch.tensor([[1.0]]), one)
    (tensor([[3.]]), tensor([3]))
    """
    with torch.autocast(z.device.type, enabled=False):
        z = z.to(centers.dtype)
        belongs = F.one_hot(clusters, len(centers))
        counts = counts + belongs.sum(dim=0)
        return centers + belongs.to(z.dtype).T @ (z - centers[clusters]) / counts[:, None], counts
