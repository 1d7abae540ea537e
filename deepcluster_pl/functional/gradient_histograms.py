"""Histograms of gradient directions in the cells of an image: where edges are, and which way they run."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def gradient_histograms(planes: Tensor, n_cells: int, n_directions: int) -> Tensor:
    """Compute histograms of gradient directions in overlapping cells, as HOG does (Dalal, Triggs 2005).

    A pixel adds the length of its gradient to the two nearest of its direction's bins. Of several colors, the one with
    the longest gradient counts. A cell is the mean over a window of a `n_cells`-th of each side, and cells overlap by
    half. A shift by a fraction of a cell hardly changes them. The square root keeps a few strong edges from drowning
    all others.

    Args:
        planes: images (N, C, H, W).
        n_cells: cells along each side, without those between them.
        n_directions: bins of the directions, over the full circle: dark to bright is not bright to dark.

    Returns:
        Features (N, F), F = directions times cells down times cells across.

    >>> step = torch.tensor([[0.0, 0.0, 1.0, 1.0]]).expand(1, 1, 4, 4)
    >>> found = gradient_histograms(step, 1, 4).reshape(4, -1).sum(dim=1)
    >>> bool(found[0] > 0), found[1:].tolist()
    (True, [0.0, 0.0, 0.0])
    """
    votes = gradient_votes(planes, n_directions)
    # Means over overlapping cells
    sides = [max(2, round(side / n_cells)) for side in planes.shape[2:]]
    cells = F.avg_pool2d(votes, sides, stride=[side // 2 for side in sides], padding=[side // 2 for side in sides])
    return cells.sqrt().flatten(1)


def gradient_votes(planes: Tensor, n_directions: int) -> Tensor:
    """Compute what each pixel adds to the bin of each direction: the length of its gradient, split between two bins.

    Args:
        planes: images (N, C, H, W).
        n_directions: bins of the directions.

    Returns:
        Votes (N, n_directions, H, W).
    """
    # Gradients by central differences; beyond the border its last pixels are repeated
    padded = F.pad(planes, (1, 1, 1, 1), mode="replicate")
    across = padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]
    down = padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]
    length = (across.square() + down.square()).sqrt()
    if planes.shape[1] > 1:
        length, color = length.max(dim=1, keepdim=True)
        across, down = across.gather(1, color), down.gather(1, color)
    # Each pixel's share of every bin: 1 at the bin's own direction, falling to 0 at those beside it
    place = torch.atan2(down, across) * (n_directions / (2 * math.pi))
    bins = torch.arange(n_directions, device=planes.device, dtype=planes.dtype)[:, None, None]
    half = n_directions / 2
    away = (torch.remainder(place - bins + half, n_directions) - half).abs()
    return length * (1 - away).clamp_min(0)
