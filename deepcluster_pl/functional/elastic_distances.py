"""Distances between images that may be bent: each place is compared with the best of those around it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from deepcluster_pl.functional.gradient_histograms import gradient_votes

_CELLS, _DIRECTIONS = 14, 8
_REACH, _CONTEXT = 1, 3


def direction_maps(planes: Tensor) -> Tensor:
    """Compute maps of gradient directions, which `elastic_distances` compares.

    Args:
        planes: images (N, C, H, W).

    Returns:
        Maps (N, 8, h, w): how strong edges of each direction are, in 14 cells along each side, or as many as there are
        pixels. The square root keeps a few strong edges from drowning all others.
    """
    votes = gradient_votes(planes, _DIRECTIONS)
    height, width = planes.shape[2:]
    return F.adaptive_avg_pool2d(votes, (min(_CELLS, height), min(_CELLS, width))).sqrt()


def elastic_distances(first: Tensor, second: Tensor) -> Tensor:
    """Compute how much remains between two images where one may be bent.

    Every cell of the first image, with the eight around it, is compared with the cell at the same place of the second
    and with each of that cell's neighbors. The least squared distance counts. So strokes may be shifted by a cell here
    and not there, as in another hand. This is the image distortion model (Keysers, Deselaers, Gollan, Ney: Deformation
    models for image recognition, IEEE Transactions on Pattern Analysis and Machine Intelligence 29, 2007), with
    directions of gradients in cells instead of derivatives at pixels.

    Args:
        first: maps (P, D, h, w) of one image of each pair.
        second: maps (P, D, h, w) of the other.

    Returns:
        Distances (P,), the sums over cells of the mean over a cell's surroundings. They are not symmetric.

    >>> stroke = torch.zeros(1, 1, 5, 5)
    >>> stroke[:, :, :, 2] = 1.0
    >>> bent, far = stroke.roll(1, dims=3), stroke.roll(2, dims=3)
    >>> elastic_distances(stroke, bent).item(), elastic_distances(stroke, far).item() > 0
    (0.0, True)
    """
    padded = F.pad(second, (_REACH,) * 4)
    height, width = first.shape[2:]
    least = None
    for down in range(2 * _REACH + 1):
        for across in range(2 * _REACH + 1):
            moved = padded[:, :, down : down + height, across : across + width]
            # The squared distance at each cell, then its mean over the cell's surroundings
            away = (first - moved).square_().sum(dim=1, keepdim=True)
            away = F.avg_pool2d(away, _CONTEXT, stride=1, padding=_CONTEXT // 2)
            least = away if least is None else torch.minimum(least, away)
    assert least is not None
    return least.sum(dim=(1, 2, 3))
