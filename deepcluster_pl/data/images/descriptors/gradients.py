"""Which way brightness changes, cell by cell: a histogram of oriented gradients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.images.descriptors.planes import RGB, SIDE, luminance, square

_GRID, _ANGLES = 4, 9


def gradients(rgb: RGB) -> NDArray[np.float32]:
    """Square roots of the shares of 9 directions in each of 4 x 4 cells, then the cells' strength: (160,).

    Gradients are of the square root of the brightness, undirected, and each is shared between the two nearest
    directions by its angle, as in HOG (Dalal, Triggs 2005). A tenth of an average cell is added to each cell's sum, so
    that an empty cell has no directions rather than loud noise.
    """
    bright = np.sqrt(luminance(square(rgb)))
    along_y, along_x = np.gradient(bright)
    size = np.hypot(along_x, along_y).ravel()
    angle = (np.arctan2(along_y, along_x) % np.pi).ravel() / np.pi * _ANGLES
    lower = np.floor(angle)
    upper_share = angle - lower
    where = np.arange(SIDE) // (SIDE // _GRID)
    first = ((where[:, None] * _GRID + where[None]) * _ANGLES).ravel()
    sums = np.zeros(_GRID * _GRID * _ANGLES)
    for offset, share in ((0, 1 - upper_share), (1, upper_share)):
        place = first + (lower.astype(int) + offset) % _ANGLES
        sums += np.bincount(place, size * share, minlength=len(sums))
    cells = sums.reshape(_GRID * _GRID, _ANGLES)
    total = cells.sum(axis=1)
    shares = cells / (total[:, None] + 1e-3 + 0.1 * total.mean())
    strength = np.log1p(total / (SIDE // _GRID) ** 2)
    return np.concatenate([np.sqrt(shares).ravel(), strength]).astype(np.float32)
