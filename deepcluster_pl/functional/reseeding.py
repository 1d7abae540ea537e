"""A new place for centers whose clusters have lost all of their samples."""

from __future__ import annotations

import torch
from torch import Tensor

from deepcluster_pl.functional.partition import cluster_sizes


def reseeded_centers(z: Tensor, clusters: Tensor, centers: Tensor) -> tuple[Tensor, Tensor]:
    """Centers (K, D), each empty cluster's moved onto a sample that lies farthest from its own, and which moved (K,).

    scikit-learn's rule for k-means: the samples with the largest squared distances, one for each empty cluster. Samples
    that are alone in their cluster stay, and so do centers for which no sample at a distance is left.

    Args:
        z: embeddings (N, D).
        clusters: (N,), from 0.
        centers: μ (K, D).

    >>> z = torch.tensor([[0.0], [0.0], [1.0], [9.0]])
    >>> reseeded_centers(z, torch.tensor([0, 0, 0, 0]), torch.tensor([[0.0], [50.0]]))
    (tensor([[0.],
            [9.]]), tensor([False,  True]))
    """
    sizes = cluster_sizes(clusters, len(centers)).to(z.device)
    clusters = clusters.to(z.device)
    distances = (z - centers[clusters]).square().sum(dim=1)
    distances = torch.where(sizes[clusters] > 1, distances, 0)
    farthest = torch.argsort(distances, descending=True, stable=True)
    farthest = farthest[distances[farthest] > 0]
    empty = torch.nonzero(sizes == 0)[:, 0][: len(farthest)]
    centers, moved = centers.clone(), torch.zeros_like(sizes, dtype=torch.bool)
    centers[empty] = z[farthest[: len(empty)]].to(centers.dtype)
    moved[empty] = True
    return centers, moved
