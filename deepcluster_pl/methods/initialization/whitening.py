"""Change the code so that the start's groups become round, and the start along with it."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from deepcluster_pl.errors import UserError
from deepcluster_pl.functional import gaussian_log_density, mapped_precisions, pooled_covariance, whitening_matrix
from deepcluster_pl.methods.initialization.initial_clustering import Initialization


def whitened(start: Initialization, z: Tensor, total: float) -> Initialization:
    """The start in the code z' = A (z - m), in which its pooled within-group covariance is total / D · I.

    Student's t kernel knows distances alone: of a group as long as it is flat it sees the far ends leave first. A
    mixture's posteriors weigh the samples, the labels where there is no mixture. m is the mean embedding. All is
    computed in float64.

    Args:
        start: found in the code z.
        z: embeddings (N, D) that the start was found on.
        total: trace of that covariance afterwards, the mean squared distance to the own center.

    Returns:
        labels unchanged, centers, precisions and codes of the new code, and the map itself as `code_matrix`,
        `code_shift`, which the net has to take over (`Autoencoder.change_code`).
    """
    points, centers = z.cpu().double(), start.centers.double()
    try:
        matrix = whitening_matrix(pooled_covariance(points, centers, _shares(start, points)), total)
    except ValueError as error:
        raise UserError(f"whiten={total:g}: {error}; type whiten=null, or fewer n_clusters") from error
    shift = points.mean(dim=0)
    factors = start.precisions_cholesky
    return replace(
        start,
        centers=((centers - shift) @ matrix.T).to(start.centers),
        precisions_cholesky=None if factors is None else mapped_precisions(factors.double(), matrix),
        codes=None if start.codes is None else ((start.codes.double() - shift) @ matrix.T).to(start.codes),
        code_matrix=matrix,
        code_shift=shift,
    )


def _shares(start: Initialization, z: Tensor) -> Tensor:
    """How much (N, K) of each sample belongs to each group; nothing of what the start calls noise."""
    if start.weights is None or start.precisions_cholesky is None:
        k = len(start.centers)
        return F.one_hot(start.labels.clamp_min(-1) + 1, k + 1)[:, 1:].to(z)
    return torch.softmax(start.weights.log() + gaussian_log_density(z, start.centers, start.precisions_cholesky), dim=1)
