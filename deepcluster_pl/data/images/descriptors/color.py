"""Colors of a picture: how often each occurs, and where."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.images.descriptors.planes import RGB, hue_saturation_value, split_into_cells, stretch_to_square

_HUES, _GRAYS = 8, 6
_PALE, _DARK = 0.12, 0.12
_VIVID, _BRIGHT = 0.45, 0.6
_GRID = 4


def palette(rgb: RGB) -> NDArray[np.float32]:
    """Compute the square roots of the color histogram of a picture (H, W, 3).

    The Euclidean distance between two such vectors is the Hellinger distance of their histograms, up to a factor.

    Returns:
        Numbers (38,): 8 hues, each pale or vivid and dark or bright; then 6 grays, from black to white.
    """
    hue, saturation, value = hue_saturation_value(rgb)
    # Each pixel falls into one bin: its hue and shade, or a gray where it is pale or dark.
    color = np.minimum(hue * _HUES, _HUES - 1).astype(int) * 4 + (saturation > _VIVID) * 2 + (value > _BRIGHT)
    gray = 4 * _HUES + np.minimum(value * _GRAYS, _GRAYS - 1).astype(int)
    bins = np.where((saturation < _PALE) | (value < _DARK), gray, color)
    counts = np.bincount(bins.ravel(), minlength=4 * _HUES + _GRAYS)
    return np.sqrt(counts / bins.size).astype(np.float32)


def layout(rgb: RGB) -> NDArray[np.float32]:
    """Compute mean and standard deviation of three color axes in each cell of a 4 x 4 grid.

    The axes are brightness, red against green, and blue against both.

    Returns:
        Numbers (96,): the means by cell and axis, then the standard deviations.
    """
    red, green, blue = np.moveaxis(stretch_to_square(rgb).astype(np.float32) / 255, -1, 0)
    axes = np.stack([(red + green + blue) / 3, red - green, blue - (red + green) / 2], axis=-1)
    cells = split_into_cells(axes, _GRID)
    return np.concatenate([cells.mean(axis=1).ravel(), cells.std(axis=1).ravel()])
