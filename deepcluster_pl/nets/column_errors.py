"""Measure how the columns of a table weigh in the reconstruction error: all alike, whatever each was made into."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from deepcluster_pl.data.tables.encoders.category import Category
from deepcluster_pl.utils.random import sample_rows

if TYPE_CHECKING:
    from deepcluster_pl.data.base import ClusteringData

_ROWS = 20_000
_LEAST = 1e-6


class ColumnErrors(NamedTuple):
    """Arguments of `mixed_error` beside outputs and rows.

    Attributes:
        weights: of the squared error (F,) of each feature; 0 for levels of categories.
        places: features (C, L) of the levels of each category; F where it has fewer.
        shares: shift and factor (2, F) that make prepared features into shares of levels.
        entropies: weights (C,) of the cross-entropy of each category.
    """

    weights: Tensor
    places: Tensor
    shares: Tensor
    entropies: Tensor


def column_errors(data: ClusteringData) -> ColumnErrors | None:
    """Return the weights of a table's columns; None for samples without categories.

    Args:
        data: set up; at most 20,000 rows of the fitted part are measured.
    """
    preparation, part = data.preparation, data.part("fit")
    if preparation is None or part.blocks is None:
        return None
    levels, start = [], 0
    for encoder in preparation.encoders:
        width = len(encoder.features)
        if isinstance(encoder, Category):
            levels.append(np.arange(start, start + width - encoder.n_marks))
        start += width
    if not levels:
        return None
    rows = sample_rows(len(part), _ROWS, 0)
    blocks, weights = part.blocks
    # Variance of each block of prepared features, and entropy of the usual shares of each category
    variance = np.bincount(blocks, data.prepared("fit", rows).var(axis=0, dtype=np.float64))[blocks]
    own = np.where(variance > _LEAST, weights / np.maximum(variance, _LEAST), 0.0)
    usual = part.take(rows).astype(np.float64).mean(axis=0)
    entropy = np.array([-(usual[k] * np.log(np.maximum(usual[k], 1e-12))).sum() for k in levels])
    crossed = np.where(entropy > _LEAST, weights[[k[0] for k in levels]] / np.maximum(entropy, _LEAST), 0.0)
    own[np.concatenate(levels)] = 0.0
    # Columns weigh one in the mean
    n_columns = sum(len(encoder.columns) for encoder in preparation.encoders)
    places = np.full((len(levels), max(map(len, levels))), len(blocks))
    for row, k in zip(places, levels, strict=True):
        row[: len(k)] = k
    shift, factor = data.scaling.shift, data.scaling.factor
    to_shares = np.stack([np.broadcast_to(shift, blocks.shape), 1 / np.broadcast_to(factor, blocks.shape)])
    return ColumnErrors(
        torch.tensor(own / n_columns, dtype=torch.float32), torch.tensor(places),
        torch.tensor(to_shares, dtype=torch.float32), torch.tensor(crossed / n_columns, dtype=torch.float32),
    )  # fmt: skip
