"""Comparison of each pixel with those around it: uniform local binary patterns at three scales."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.images.descriptors.planes import RGB, luminance

_NEIGHBORS = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
"""Steps (down, right) to the eight neighbors, around the circle."""
_N_PATTERNS = 59
_NOISE = 2
"""Levels that a neighbor has to be brighter by."""


def texture(rgb: RGB) -> NDArray[np.float32]:
    """Compute the histograms of uniform local binary patterns (Ojala, Pietikainen, Maenpaa 2002) at three scales.

    Returns:
        Numbers (177,): square roots of the shares of 59 patterns, with neighbors 1 pixel away, then 1 and 2 pixels
        away in the picture halved.
    """
    bright = np.rint(luminance(rgb))
    height, width = (side // 2 * 2 for side in bright.shape)
    halved = np.rint(bright[:height, :width].reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)))
    return np.concatenate([_pattern_shares(bright, 1), _pattern_shares(halved, 1), _pattern_shares(halved, 2)])


def _pattern_shares(bright: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """Return the square roots (59,) of the shares of the patterns, with neighbors `radius` pixels away."""
    height, width = bright.shape
    threshold = bright[radius : height - radius, radius : width - radius] + _NOISE
    # One bit for each neighbor: is it brighter than the pixel in the middle?
    code = np.zeros(threshold.shape, dtype=np.uint8)
    for bit, (down, right) in enumerate(_NEIGHBORS):
        top, left = radius * (1 + down), radius * (1 + right)
        neighbor = bright[top : top + threshold.shape[0], left : left + threshold.shape[1]]
        code |= (neighbor > threshold).astype(np.uint8) << bit
    counts = np.bincount(_PATTERN_OF_CODE[code].ravel(), minlength=_N_PATTERNS)
    return np.sqrt(counts / code.size).astype(np.float32)


def _pattern_number(code: int) -> int:
    """Return the number of a pattern: 0 to 55 by length and beginning of its one run, none 56, all 57, any other 58.

    >>> [_pattern_number(code) for code in (0b1, 0b10, 0b11, 0, 255, 0b101)]
    [0, 1, 8, 56, 57, 58]
    """
    bits = [code >> place & 1 for place in range(8)]
    begins = [place for place in range(8) if bits[place] and not bits[place - 1]]
    if len(begins) == 1:
        return (sum(bits) - 1) * 8 + begins[0]
    return 58 if begins else 57 if code else 56


_PATTERN_OF_CODE = np.array([_pattern_number(code) for code in range(256)], dtype=np.int64)
