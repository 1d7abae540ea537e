"""Writing in a picture: small marks that are darker or lighter than their surroundings, and the lines they form."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from deepcluster_pl.data.images.descriptors.planes import RGB, luminance

_NEIGHBORHOOD = 15
_CONTRAST = 25
_EDGE = 32
_BANDS = 64


def writing(rgb: RGB) -> NDArray[np.float32]:
    """Measure marks of either sign, and how edges are spread over the rows.

    A mark is a connected area of pixels that differ by more than 25 from the mean of the 15 x 15 around them. It is
    at least 3 rows high, at most 15 % of the height and 25 % of the width.

    Returns:
        Numbers (35,): 8 of dark marks and 8 of light ones, see `_mark_statistics`. Then 19 of the share of steep steps
        to the right in each of 64 bands: square roots of means in eighths, deviation, mean change, share of empty
        bands, and logarithms of its spectrum in eighths.
    """
    bright = luminance(rgb)
    # Marks stand out against the mean around them, so that shadows and colored paper do not matter.
    difference = bright - scipy.ndimage.uniform_filter(bright, _NEIGHBORHOOD)
    marks = [number for sign in (-1, 1) for number in _mark_statistics(sign * difference > _CONTRAST)]
    # Lines of text are bands with many edges between bands with none: a period in the profile over the height.
    edges = (np.abs(np.diff(bright, axis=1)) > _EDGE).mean(axis=1)
    bands = np.interp(np.linspace(0, 1, _BANDS), np.linspace(0, 1, len(edges)), edges)
    waves = np.abs(np.fft.rfft(bands - bands.mean()))[1:]
    profile = [
        *np.sqrt(bands.reshape(8, -1).mean(axis=1)),
        bands.std(), np.abs(np.diff(bands)).mean(), (bands < 0.01).mean(),
        *np.log1p(waves.reshape(8, -1).mean(axis=1)),
    ]  # fmt: skip
    return np.array([*marks, *profile], dtype=np.float32)


def _mark_statistics(mask: NDArray[np.bool_]) -> list[float]:
    """Return 8 numbers of the marks in a mask (H, W), zeros where there are none.

    They are logarithms of the number of marks in each quarter of the height and altogether, the share of the area that
    they cover, the median of their height, and the relative deviation of their height.
    """
    height, width = mask.shape
    numbered, _ = scipy.ndimage.label(mask)
    boxes = scipy.ndimage.find_objects(numbered)
    if not boxes:
        return [0.0] * 8
    heights, widths, middles = np.array(
        [(y.stop - y.start, x.stop - x.start, (y.start + y.stop) / 2 / height) for y, x in boxes]
    ).T
    area = np.bincount(numbered.ravel())[1:]
    # Areas that are too flat, too large or too sparse are noise, rules and objects.
    is_mark = (heights >= 3) & (heights <= 0.15 * height) & (widths <= 0.25 * width) & (area >= 4)
    if not is_mark.any():
        return [0.0] * 8
    quarter = np.minimum(middles[is_mark] * 4, 3).astype(int)
    mark_heights = heights[is_mark]
    return [
        *np.log1p(np.bincount(quarter, minlength=4)),
        float(np.log1p(is_mark.sum())),
        float(area[is_mark].sum() / mask.size),
        float(np.median(mark_heights) / height),
        float(mark_heights.std() / mark_heights.mean()),
    ]
