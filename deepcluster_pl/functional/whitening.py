"""Linear maps that make groups round: the pooled within-group covariance becomes a multiple of the identity."""

from __future__ import annotations

import torch
from torch import Tensor

_FLATTEST = 1e-6


def pooled_covariance(z: Tensor, centers: Tensor, probabilities: Tensor) -> Tensor:
    """Compute the mean within-group covariance W = Σ_ij r_ij (z_i - μ_j)(z_i - μ_j)ᵀ / Σ_ij r_ij.

    Args:
        z: embeddings (N, D).
        centers: centers μ (K, D) of the groups.
        probabilities: r (N, K) of each sample in each group; a row of zeros belongs to none.

    Returns:
        W (D, D), in the square of the embeddings' unit.

    >>> z, groups = torch.tensor([[1.0], [3.0], [9.0]]), torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> round(pooled_covariance(z, torch.tensor([[2.0], [9.0]]), groups).item(), 4)
    0.6667
    """
    total = z.new_zeros(z.shape[1], z.shape[1])
    for center, weights in zip(centers, probabilities.T, strict=True):
        total += (z - center).T @ (weights[:, None] * (z - center))
    return total / probabilities.sum()


def whitening_matrix(covariance: Tensor, total: float) -> Tensor:
    """Compute the symmetric A with A W Aᵀ = total / D · I.

    Of all such matrices the symmetric one changes the points least (Kessy, Lewin, Strimmer 2018, "ZCA"). Axes along
    which there is next to no variance, below a millionth of the largest, are stretched as if they had that much, so
    that an embedding's unused axis stays finite.

    Args:
        covariance: W (D, D).
        total: trace of the covariance afterwards, in the square of the embeddings' unit.

    Returns:
        A (D, D).

    Raises:
        ValueError: there is no variance along any axis.

    >>> whitening_matrix(torch.diag(torch.tensor([4.0, 1.0])), 2.0).tolist()
    [[0.5, 0.0], [0.0, 1.0]]
    """
    variances, axes = torch.linalg.eigh(covariance)
    if not variances[-1] > 0:
        raise ValueError("every sample coincides with its center, so there is no variance to whiten")
    # Each axis is stretched to the same variance; the rotation and its inverse make the matrix symmetric
    stretch = (total / len(variances) / variances.clamp_min(_FLATTEST * variances[-1])).sqrt()
    matrix: Tensor = (axes * stretch) @ axes.T
    return matrix


def mapped_precisions(precisions_cholesky: Tensor, matrix: Tensor) -> Tensor:
    """Compute the factors of the precisions of Gaussians whose points an invertible matrix maps.

    Args:
        precisions_cholesky: upper triangular P (K, D, D) with P Pᵀ the precision, or square roots (K, D) of diagonal
            precisions, as scikit-learn's mixtures have them.
        matrix: invertible A (D, D) of z' = A z.

    Returns:
        Factors (K, D, D), upper triangular too, with a positive diagonal.

    >>> mapped_precisions(torch.ones(1, 1), torch.tensor([[2.0]])).tolist()
    [[[0.5]]]
    """
    factors = torch.diag_embed(precisions_cholesky) if precisions_cholesky.ndim == 2 else precisions_cholesky
    mapped = torch.linalg.solve(matrix.T, factors)  # A⁻ᵀ P, whose product with its transpose is the new precision
    # An RQ factorization, by way of QR: upper triangular, and the precision itself, less exact, is never formed
    lower = torch.linalg.qr(mapped.flip(-2).mT).R.mT
    upper: Tensor = lower.flip(-2).flip(-1)
    signs = upper.diagonal(dim1=-2, dim2=-1).sign()
    return upper * signs[:, None, :]
