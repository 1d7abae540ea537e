"""New positions for the centers of empty clusters."""

from __future__ import annotations

import torch
from torch import Tensor

from deepcluster_pl.functional.partition import cluster_sizes


def reseeded_centers(z: Tensor, clusters: Tensor, centers: Tensor) -> tuple[Tensor, Tensor]:
    """Move the center of each empty cluster onto a sample that is farthest from its own center.

    This is scikit-learn's rule for k-means: the samples with the largest squared distances, one for each empty cluster.
    Samples that are alone in their cluster stay there. Centers stay where no sample at a distance is left.

    Args:
        z: embeddings (N, D).
        clusters: cluster (N,) of each sample, from 0.
        centers: cluster centers μ (K, D).

    Returns:
        The centers (K, D) afterwards, and which of them moved (K,).

    >>> z = torch.tensor([[0.0], [0.0], [1.0], [9.0]])
    >>> reseeded_centers(z, torch.tensor([0, 0, 0, 0]), torch.tensor([[0.0], [50.0]]))
    (tensor([[0.],
            [9.]]), tensor([False,  True]))
    """
    sizes = cluster_sizes(clusters, len(centers)).to(z.device)
    clusters = clusters.to(z.device)
    # Squared distances to the own center; a sample alone in its cluster counts as if it were there
    distances = (z - centers[clusters]).square().sum(dim=1)
    distances = torch.where(sizes[clusters] > 1, distances, 0)
    # Samples at a distance, the farthest first
    farthest = torch.argsort(distances, descending=True, stable=True)
    farthest = farthest[distances[farthest] > 0]
    # One of them for each empty cluster, as long as there are some
    empty = torch.nonzero(sizes == 0)[:, 0][: len(farthest)]
    centers, moved = centers.clone(), torch.zeros_like(sizes, dtype=torch.bool)
    centers[empty] = z[farthest[: len(empty)]].to(centers.dtype)
    moved[empty] = True
    return centers, moved
