"""How each pixel compares with those around it: uniform local binary patterns at three scales."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.images.descriptors.planes import RGB, luminance

_AROUND = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
_N_PATTERNS = 59
_NOISE = 2


def texture(rgb: RGB) -> NDArray[np.float32]:
    """Square roots of the shares of 59 patterns (Ojala, Pietikainen, Maenpaa 2002) at three scales: (177,).

    Neighbors are 1 pixel away, then 1 and 2 pixels in the picture halved. One counts as brighter from 2 levels on.
    """
    bright = np.rint(luminance(rgb))
    height, width = (side // 2 * 2 for side in bright.shape)
    halved = np.rint(bright[:height, :width].reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)))
    return np.concatenate([_shares(bright, 1), _shares(halved, 1), _shares(halved, 2)])


def _shares(bright: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    height, width = bright.shape
    middle = bright[radius : height - radius, radius : width - radius] + _NOISE
    code = np.zeros(middle.shape, dtype=np.uint8)
    for bit, (down, right) in enumerate(_AROUND):
        top, left = radius * (1 + down), radius * (1 + right)
        code |= (bright[top : top + middle.shape[0], left : left + middle.shape[1]] > middle).astype(np.uint8) << bit
    counts = np.bincount(_PATTERN[code].ravel(), minlength=_N_PATTERNS)
    return np.sqrt(counts / code.size).astype(np.float32)


def _pattern(code: int) -> int:
    """Number of a pattern: 0 to 55 by length and beginning of its one run, none 56, all 57, anything else 58.

    >>> [_pattern(code) for code in (0b1, 0b10, 0b11, 0, 255, 0b101)]
    [0, 1, 8, 56, 57, 58]
    """
    bits = [code >> place & 1 for place in range(8)]
    begins = [place for place in range(8) if bits[place] and not bits[place - 1]]
    if len(begins) == 1:
        return (sum(bits) - 1) * 8 + begins[0]
    return 58 if begins else 57 if code else 56


_PATTERN = np.array([_pattern(code) for code in range(256)], dtype=np.int64)
