"""Distances and kernels that say how well each embedding fits each cluster: Euclidean, Student's t, Gaussian."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def squared_distances(z: Tensor, centers: Tensor) -> Tensor:
    """Compute the squared Euclidean distance between every embedding and every center.

    It is computed from differences, not from |z|² + |μ|² - 2zμ, which loses the small distances that matter most.

    Args:
        z: embeddings (N, D).
        centers: cluster centers μ (K, D).

    Returns:
        Squared distances (N, K), in the square of the embeddings' unit.

    >>> squared_distances(torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.zeros(1, 2)).tolist()
    [[0.0], [25.0]]
    """
    if torch.compiler.is_exporting():  # ONNX has no cdist
        return (z[:, None] - centers).square().sum(dim=2)
    return torch.cdist(z, centers, compute_mode="donot_use_mm_for_euclid_dist").square()


def log_soft_assignment(z: Tensor, centers: Tensor, alpha: float = 1.0) -> Tensor:
    """Compute the logarithm of DEC's soft assignment q, in float32 or better whatever the autocast state.

    q_ij ∝ (1 + |z_i - μ_j|²/α)^(-(α+1)/2), rows sum to one (Xie, Girshick, Farhadi 2016, equation 1). A log-softmax of
    the kernel's logarithm stays finite where q itself underflows.

    Args:
        z: embeddings (N, D).
        centers: cluster centers μ (K, D).
        alpha: degrees of freedom of Student's t distribution; the paper uses 1.

    Returns:
        Logarithms (N, K) of the probability of each sample in each cluster.

    >>> log_soft_assignment(torch.zeros(1, 2), torch.eye(2)).exp().tolist()
    [[0.5, 0.5]]
    """
    with torch.autocast(z.device.type, enabled=False):
        if z.dtype in (torch.float16, torch.bfloat16):
            z = z.float()
        distances = squared_distances(z, centers.to(z.dtype))
        # The kernel's logarithm, normalized over clusters
        return torch.log_softmax(-(alpha + 1) / 2 * torch.log1p(distances / alpha), dim=1)


def soft_assignment(z: Tensor, centers: Tensor, alpha: float = 1.0) -> Tensor:
    """Compute DEC's soft assignment q; see `log_soft_assignment`.

    Args:
        z: embeddings (N, D).
        centers: cluster centers μ (K, D).
        alpha: degrees of freedom of Student's t distribution; the paper uses 1.

    Returns:
        Probabilities (N, K), whose rows sum to one.

    >>> [round(q, 3) for q in soft_assignment(torch.tensor([[0.0]]), torch.tensor([[0.0], [1.0]]))[0].tolist()]
    [0.667, 0.333]
    """
    return log_soft_assignment(z, centers, alpha).exp()


def gaussian_log_density(z: Tensor, means: Tensor, precisions_cholesky: Tensor) -> Tensor:
    """Compute the log density of each embedding under each Gaussian.

    Args:
        z: embeddings (N, D).
        means: means (K, D) of the Gaussians.
        precisions_cholesky: as scikit-learn's `GaussianMixture.precisions_cholesky_`: (K, D, D), upper triangular
            P with P Pᵀ the precision matrix, or (K, D), the square roots of diagonal precisions.

    Returns:
        Natural logarithms (N, K) of the densities.

    >>> round(gaussian_log_density(torch.zeros(1, 1), torch.zeros(1, 1), torch.ones(1, 1, 1)).item(), 4)
    -0.9189
    """
    columns = []
    for mean, factor in zip(means, precisions_cholesky, strict=True):
        # Half the log determinant of the precision is the sum over the factor's diagonal
        diagonal = factor if factor.ndim == 1 else factor.diagonal()
        # The Mahalanobis distance is the length of (z - μ) P
        scaled = (z - mean) * factor if factor.ndim == 1 else (z - mean) @ factor
        exponent = scaled.square().sum(dim=1) + z.shape[1] * math.log(2 * math.pi)
        columns.append(diagonal.log().sum() - 0.5 * exponent)
    return torch.stack(columns, dim=1)
