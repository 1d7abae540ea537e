"""The share of distorted samples whose nearest neighbor is of their own group: what a distortion leaves as it is."""

from __future__ import annotations

import torch
from torch import Tensor

from deepcluster_pl.functional.neighbors import nearest_rows


def kept_share(z: Tensor, distorted: Tensor, clusters: Tensor) -> float:
    """Compute the share of distorted samples whose nearest other sample is in their own cluster.

    A distortion that keeps the kind of a sample takes it to others of that kind. A sample itself, not distorted, is no
    neighbor of its distorted copy, since it would be the nearest for every small distortion.

    Args:
        z: features (N, D) of the samples, N at least 2.
        distorted: features (N, D) of the same samples, distorted.
        clusters: cluster (N,) of each sample.

    Returns:
        A number from 0 to 1.

    >>> z = torch.tensor([[0.0], [1.0], [5.0], [6.0]])
    >>> kept_share(z, z + 0.1, torch.tensor([0, 0, 1, 1])), kept_share(z, 6 - z, torch.tensor([0, 0, 1, 1]))
    (1.0, 0.0)
    """
    two = nearest_rows(distorted, z, 2).long()
    own = torch.arange(len(z), device=two.device)
    nearest = torch.where(two[:, 0] == own, two[:, 1], two[:, 0])
    clusters = clusters.to(two.device)
    return float((clusters[nearest] == clusters).double().mean())
