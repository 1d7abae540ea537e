"""Directions in which the brightness changes, cell by cell: a histogram of oriented gradients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.images.descriptors.planes import RGB, SIDE, luminance, stretch_to_square

_GRID, _ANGLES = 4, 9


def gradients(rgb: RGB) -> NDArray[np.float32]:
    """Compute the histogram of oriented gradients of each cell of a 4 x 4 grid (HOG: Dalal, Triggs 2005).

    Gradients are of the square root of the brightness and undirected. A tenth of an average cell is added to each
    cell's sum, so that an empty cell has no directions rather than amplified noise.

    Returns:
        Numbers (160,): square roots of the shares of 9 directions by cell, then the logarithm of each cell's mean
        gradient.
    """
    bright = np.sqrt(luminance(stretch_to_square(rgb)))
    along_y, along_x = np.gradient(bright)
    size = np.hypot(along_x, along_y).ravel()
    # Each gradient is shared between the two nearest directions by its angle.
    angle = (np.arctan2(along_y, along_x) % np.pi).ravel() / np.pi * _ANGLES
    lower = np.floor(angle)
    upper_share = angle - lower
    cell_of = np.arange(SIDE) // (SIDE // _GRID)
    first_bin = ((cell_of[:, None] * _GRID + cell_of[None]) * _ANGLES).ravel()
    sums = np.zeros(_GRID * _GRID * _ANGLES)
    for offset, share in ((0, 1 - upper_share), (1, upper_share)):
        bins = first_bin + (lower.astype(int) + offset) % _ANGLES
        sums += np.bincount(bins, size * share, minlength=len(sums))
    # Directions are relative to their cell; how strong they are comes separately.
    cells = sums.reshape(_GRID * _GRID, _ANGLES)
    total = cells.sum(axis=1)
    shares = cells / (total[:, None] + 1e-3 + 0.1 * total.mean())
    strength = np.log1p(total / (SIDE // _GRID) ** 2)
    return np.concatenate([np.sqrt(shares).ravel(), strength]).astype(np.float32)
