"""What tells drawn pictures, screens and scans from photos: few colors, flat areas, hard edges; and skin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.images.descriptors.planes import RGB, by_cell, luminance, square

_FLAT = 2
_EDGES = (8, 24, 64)


def drawing(rgb: RGB) -> NDArray[np.float32]:
    """Numbers (36,): colors, flatness, edges, extremes, saturation, brightness, quiet lines, skin, aspect ratio.

    In this order: logarithm of the number of distinct colors (4 bits a channel), their entropy, and the shares of
    the most frequent 1, 4 and 16; shares of steps to the right, and down, that change no channel by more than 2;
    shares of steps to the right, then down, that change the brightness by more than 8, 24 and 64; shares of white,
    black, light and dark pixels; mean and deviation of the saturation, and the share above 0.7; share of gray; mean
    and deviation of the value; shares of rows, and columns, in which nothing changes by more than 4; share of skin,
    and of skin in each cell of a 3 x 3 grid; logarithm of width / height.
    """
    height, width = rgb.shape[:2]
    whole = rgb.astype(np.int16)
    right, down = (np.abs(np.diff(whole, axis=axis)).max(axis=2) for axis in (1, 0))
    bright = luminance(rgb)
    steps = [np.abs(np.diff(bright, axis=axis)) for axis in (1, 0)]
    value, least = whole.max(axis=2), whole.min(axis=2)
    saturation = (value - least) / np.maximum(value, 1)
    skin = _skin(whole, value - least)
    cells = by_cell(square(np.repeat(np.uint8(255) * skin[..., None], 3, axis=2), 48)[..., 0], 3).mean(axis=1) / 255
    numbers = [
        *_colors(rgb),
        *((change <= _FLAT).mean() for change in (right, down)),
        *((step > edge).mean() for step in steps for edge in _EDGES),
        (least > 245).mean(), (value < 10).mean(), (least > 200).mean(), (value < 60).mean(),
        saturation.mean(), saturation.std(), (saturation > 0.7).mean(), (value - least < 12).mean(),
        value.mean() / 255, value.std() / 255,
        (right.max(axis=1) <= 4).mean(), (down.max(axis=0) <= 4).mean(),
        skin.mean(), *cells,
        np.log(width / height),
    ]  # fmt: skip
    return np.array(numbers, dtype=np.float32)


def _colors(rgb: RGB) -> list[float]:
    """Logarithm of the number of distinct colors, their entropy, and the shares of the first 1, 4 and 16."""
    red, green, blue = np.moveaxis(rgb >> 4, -1, 0).astype(np.int16)
    shares = np.bincount((red * 256 + green * 16 + blue).ravel(), minlength=4096) / red.size
    shares = np.sort(shares[shares > 0])[::-1]
    entropy = -float((shares * np.log(shares)).sum())
    return [float(np.log(len(shares))), entropy, *(float(shares[:n].sum()) for n in (1, 4, 16))]


def _skin(whole: NDArray[np.int16], chroma: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Where colors are skin's in daylight, by the rule of Kovac, Peer and Solina (2003), dark skin included badly."""
    red, green, blue = np.moveaxis(whole, -1, 0)
    reddish = (red - green > 15) & (red > blue)
    found: NDArray[np.bool_] = (red > 95) & (green > 40) & (blue > 20) & (chroma > 15) & reddish
    return found
