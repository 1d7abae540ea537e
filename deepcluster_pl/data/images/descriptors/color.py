"""Which colors a picture has, and where."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.images.descriptors.planes import RGB, by_cell, hue_saturation_value, square

_HUES, _GRAYS = 8, 6
_PALE, _DARK = 0.12, 0.12
_VIVID, _BRIGHT = 0.45, 0.6
_GRID = 4


def palette(rgb: RGB) -> NDArray[np.float32]:
    """Square roots (38,) of the shares of 8 hues, each pale or vivid and dark or bright, and of 6 grays.

    Euclidean distance between square roots of shares is Hellinger's.
    """
    hue, saturation, value = hue_saturation_value(rgb)
    color = np.minimum(hue * _HUES, _HUES - 1).astype(int) * 4 + (saturation > _VIVID) * 2 + (value > _BRIGHT)
    gray = 4 * _HUES + np.minimum(value * _GRAYS, _GRAYS - 1).astype(int)
    bins = np.where((saturation < _PALE) | (value < _DARK), gray, color)
    counts = np.bincount(bins.ravel(), minlength=4 * _HUES + _GRAYS)
    return np.sqrt(counts / bins.size).astype(np.float32)


def layout(rgb: RGB) -> NDArray[np.float32]:
    """Mean, then standard deviation, of three color axes in each cell of a 4 x 4 grid: (96,).

    The axes are brightness, red against green, and blue against both.
    """
    red, green, blue = np.moveaxis(square(rgb).astype(np.float32) / 255, -1, 0)
    axes = np.stack([(red + green + blue) / 3, red - green, blue - (red + green) / 2], axis=-1)
    cells = by_cell(axes, _GRID)
    return np.concatenate([cells.mean(axis=1).ravel(), cells.std(axis=1).ravel()])
