"""Whiten embeddings so that the groups of an initialization become round, and the initialization along with them."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from deepcluster_pl.errors import UserError
from deepcluster_pl.functional import gaussian_log_density, mapped_precisions, pooled_covariance, whitening_matrix
from deepcluster_pl.methods.initialization.initial_clustering import Initialization


def whitened(start: Initialization, z: Tensor, total: float) -> Initialization:
    """Map an initialization to embeddings z' = A (z - m), whose pooled within-group covariance is total / D · I.

    Student's t kernel sees distances only, so it loses the far ends of long and flat groups first; round groups have
    none. Samples count by a mixture's posteriors, or by the labels where there is no mixture. m is the mean embedding.
    All is computed in float64.

    Args:
        start: initialization in the embeddings z.
        z: embeddings (N, D) that it was found on.
        total: trace of that covariance afterwards: the mean squared distance to the own center.

    Returns:
        The initialization with unchanged labels, with centers, precisions and codes of the new embeddings, and with
        the map itself as `code_matrix`, `code_shift`. The net has to apply that map too (`Autoencoder.change_code`).

    Raises:
        UserError: every sample coincides with its center.
    """
    points, centers = z.cpu().double(), start.centers.double()
    try:
        matrix = whitening_matrix(pooled_covariance(points, centers, _probabilities(start, points)), total)
    except ValueError as error:
        raise UserError(f"whiten={total:g}: {error}; type whiten=null, or fewer n_clusters") from error
    # Everything that belongs to the embeddings is mapped like them
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


def _probabilities(start: Initialization, z: Tensor) -> Tensor:
    """Return the probability (N, K) of each sample in each group; a row of zeros is noise."""
    if start.weights is None or start.precisions_cholesky is None:
        k = len(start.centers)
        return F.one_hot(start.labels.clamp_min(-1) + 1, k + 1)[:, 1:].to(z)
    return torch.softmax(start.weights.log() + gaussian_log_density(z, start.centers, start.precisions_cholesky), dim=1)
