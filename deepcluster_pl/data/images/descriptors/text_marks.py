"""Whether there is writing in a picture, and where: small marks darker or lighter than what is around them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from deepcluster_pl.data.images.descriptors.planes import RGB, luminance

_AROUND = 15
_CONTRAST = 25
_EDGE = 32
_LINES = 64


def writing(rgb: RGB) -> NDArray[np.float32]:
    """Marks of either sign (8 numbers each), then how edges are spread over the rows (19): (35,).

    A mark is a connected area of pixels that differ by more than 25 from the mean of the 15 x 15 around them, at least
    3 rows high, at most 15 % of the height and 25 % of the width. Of the dark ones, then of the light ones: logarithms
    of their number in each quarter of the height and altogether, their share of the area, the median of their height,
    its relative deviation. Of the share of steep steps to the right in each of 64 bands: square roots of means in
    eighths, deviation, mean change, share of empty bands, and logarithms of its spectrum in eighths.
    """
    bright = luminance(rgb)
    apart = bright - ndimage.uniform_filter(bright, _AROUND)
    marks = [number for sign in (-1, 1) for number in _marks(sign * apart > _CONTRAST)]
    edges = (np.abs(np.diff(bright, axis=1)) > _EDGE).mean(axis=1)
    bands = np.interp(np.linspace(0, 1, _LINES), np.linspace(0, 1, len(edges)), edges)
    waves = np.abs(np.fft.rfft(bands - bands.mean()))[1:]
    spread = [
        *np.sqrt(bands.reshape(8, -1).mean(axis=1)),
        bands.std(), np.abs(np.diff(bands)).mean(), (bands < 0.01).mean(),
        *np.log1p(waves.reshape(8, -1).mean(axis=1)),
    ]  # fmt: skip
    return np.array([*marks, *spread], dtype=np.float32)


def _marks(mask: NDArray[np.bool_]) -> list[float]:
    height, width = mask.shape
    numbered, _ = ndimage.label(mask)
    boxes = ndimage.find_objects(numbered)
    if not boxes:
        return [0.0] * 8
    heights, widths, middles = np.array(
        [(y.stop - y.start, x.stop - x.start, (y.start + y.stop) / 2 / height) for y, x in boxes]
    ).T
    area = np.bincount(numbered.ravel())[1:]
    marks = (heights >= 3) & (heights <= 0.15 * height) & (widths <= 0.25 * width) & (area >= 4)
    if not marks.any():
        return [0.0] * 8
    quarter = np.minimum(middles[marks] * 4, 3).astype(int)
    tall = heights[marks]
    return [
        *np.log1p(np.bincount(quarter, minlength=4)),
        float(np.log1p(marks.sum())),
        float(area[marks].sum() / mask.size),
        float(np.median(tall) / height),
        float(tall.std() / tall.mean()),
    ]
