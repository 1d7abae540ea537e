"""How well each embedding fits each cluster: distances, Student's t kernel, Gaussian densities."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def squared_distances(z: Tensor, centers: Tensor) -> Tensor:
    """Squared Euclidean distances (N, K) between embeddings (N, D) and centers (K, D).

    Computed from differences, not from |z|² + |μ|² - 2zμ, which loses the small distances that matter most.

    >>> squared_distances(torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.zeros(1, 2)).tolist()
    [[0.0], [25.0]]
    """
    if torch.compiler.is_exporting():  # ONNX has no cdist
        return (z[:, None] - centers).square().sum(dim=2)
    return torch.cdist(z, centers, compute_mode="donot_use_mm_for_euclid_dist").square()


def log_soft_assignment(z: Tensor, centers: Tensor, alpha: float = 1.0) -> Tensor:
    """Logarithm (N, K) of DEC's soft assignment q, in float32 or better whatever the autocast state.

    q_ij ∝ (1 + |z_i - μ_j|²/α)^(-(α+1)/2), rows sum to one (Xie, Girshick, Farhadi 2016, equation 1).
    A log-softmax of the kernel's logarithm stays finite where q itself underflows.

    Args:
        z: embeddings (N, D).
        centers: cluster centers μ (K, D).
        alpha: degrees of freedom of Student's t distribution; the paper uses 1.

    >>> log_soft_assignment(torch.zeros(1, 2), torch.eye(2)).exp().tolist()
    [[0.5, 0.5]]
    """
    with torch.autocast(z.device.type, enabled=False):
        if z.dtype in (torch.float16, torch.bfloat16):
            z = z.float()
        distances = squared_distances(z, centers.to(z.dtype))
        return torch.log_softmax(-(alpha + 1) / 2 * torch.log1p(distances / alpha), dim=1)


def soft_assignment(z: Tensor, centers: Tensor, alpha: float = 1.0) -> Tensor:
    """DEC's soft assignment q (N, K); rows sum to one. See `log_soft_assignment`."""
    return log_soft_assignment(z, centers, alpha).exp()


def gaussian_log_density(z: Tensor, means: Tensor, precisions_cholesky: Tensor) -> Tensor:
    """Log density (N, K) of each embedding under each Gaussian.

    Args:
        z: embeddings (N, D).
        means: (K, D).
        precisions_cholesky: as scikit-learn's `GaussianMixture.precisions_cholesky_`: (K, D, D), upper triangular
            P with P Pᵀ the precision matrix, or (K, D), the square roots of diagonal precisions.

    >>> round(gaussian_log_density(torch.zeros(1, 1), torch.zeros(1, 1), torch.ones(1, 1, 1)).item(), 4)
    -0.9189
    """
    columns = []
    for mean, factor in zip(means, precisions_cholesky, strict=True):
        diagonal = factor if factor.ndim == 1 else factor.diagonal()
        scaled = (z - mean) * factor if factor.ndim == 1 else (z - mean) @ factor
        exponent = scaled.square().sum(dim=1) + z.shape[1] * math.log(2 * math.pi)
        columns.append(diagonal.log().sum() - 0.5 * exponent)
    return torch.stack(columns, dim=1)
