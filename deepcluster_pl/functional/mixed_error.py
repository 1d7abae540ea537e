"""Reconstruction error of rows of numbers and categories: squared error, and the cross-entropy of each category."""

from __future__ import annotations

import torch
from torch import Tensor


def mixed_error(
    output: Tensor, x: Tensor, weights: Tensor, places: Tensor, shares: Tensor, entropies: Tensor
) -> Tensor:
    """Compute the mean error of rows, in which columns weigh as `weights` and `entropies` say.

    The outputs for a category are logits. Its error is the cross-entropy with the row's shares of levels: a one and
    zeros, or the usual shares for a gap. A weight is that of the column over its variance, or over the entropy of the
    usual shares. So a net that always answers with the mean has the error 1, whatever the columns are.

    Args:
        output: outputs (B, F) of the decoder.
        x: prepared rows (B, F).
        weights: weight (F,) of the squared error of each feature; 0 for levels of categories.
        places: features (C, L) of the levels of each category, the frequent ones first; F where it has fewer than L.
        shares: shift and factor (2, F) that make prepared features into shares of levels.
        entropies: weight (C,) of each category's cross-entropy.

    Returns:
        The error, a scalar.

    >>> x = torch.tensor([[1.0, 1.0, 0.0]])
    >>> same = torch.stack([torch.zeros(3), torch.ones(3)])
    >>> weights, places, entropies = torch.tensor([1.0, 0.0, 0.0]), torch.tensor([[1, 2]]), torch.tensor([1.0])
    >>> mixed_error(torch.tensor([[3.0, 0.0, 0.0]]), x, weights, places, same, entropies)
    tensor(4.6931)
    """
    squares = ((output - x).square() * weights).sum(dim=1)
    # Logits and shares of each category, filled up to one length by levels that nothing is in
    logits = torch.cat([output, output.new_full((len(output), 1), -1e4)], dim=1)[:, places]
    levels = torch.cat([x * shares[1] + shares[0], x.new_zeros((len(x), 1))], dim=1)[:, places]
    crossed = -(levels * logits.log_softmax(dim=2)).sum(dim=2)
    return (squares + (crossed * entropies).sum(dim=1)).mean()
