"""Marks of drawings, screens and scans against photos: few colors, flat areas, hard edges, no skin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.images.descriptors.planes import RGB, luminance, split_into_cells, stretch_to_square

_FLAT = 2
_EDGES = (8, 24, 64)


def drawing(rgb: RGB) -> NDArray[np.float32]:
    """Measure how much a picture (H, W, 3) looks drawn rather than photographed.

    Returns:
        Numbers (36,), in this order:

        - colors: logarithm of the number of distinct ones (4 bits a channel), their entropy, and the shares of the
          most frequent 1, 4 and 16;
        - flatness: shares of steps to the right, and down, that change no channel by more than 2;
        - edges: shares of steps to the right, then down, that change the brightness by more than 8, 24 and 64;
        - extremes: shares of white, black, light and dark pixels;
        - saturation: mean, deviation, the share above 0.7, and the share of gray;
        - value: mean and deviation;
        - quiet lines: shares of rows, and columns, in which nothing changes by more than 4;
        - skin: its share, and its share in each cell of a 3 x 3 grid;
        - the logarithm of width / height.
    """
    height, width = rgb.shape[:2]
    whole = rgb.astype(np.int16)
    # Largest change of a channel, and change of the brightness, from each pixel to the next.
    right, down = (np.abs(np.diff(whole, axis=axis)).max(axis=2) for axis in (1, 0))
    bright = luminance(rgb)
    steps = [np.abs(np.diff(bright, axis=axis)) for axis in (1, 0)]
    value, least = whole.max(axis=2), whole.min(axis=2)
    saturation = (value - least) / np.maximum(value, 1)
    # The mask is stretched to a square, so that cells of any picture have the same size.
    skin = _skin_mask(whole, value - least)
    skin_picture = np.repeat(np.uint8(255) * skin[..., None], 3, axis=2)
    cells = split_into_cells(stretch_to_square(skin_picture, 48)[..., 0], 3).mean(axis=1) / 255
    numbers = [
        *_color_statistics(rgb),
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


def _color_statistics(rgb: RGB) -> list[float]:
    """Return the logarithm of the number of distinct colors, their entropy, and the shares of the top 1, 4 and 16."""
    red, green, blue = np.moveaxis(rgb >> 4, -1, 0).astype(np.int16)
    shares = np.bincount((red * 256 + green * 16 + blue).ravel(), minlength=4096) / red.size
    shares = np.sort(shares[shares > 0])[::-1]
    entropy = -float((shares * np.log(shares)).sum())
    return [float(np.log(len(shares))), entropy, *(float(shares[:n].sum()) for n in (1, 4, 16))]


def _skin_mask(whole: NDArray[np.int16], chroma: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Mark pixels of skin in daylight by the rule of Kovac, Peer and Solina (2003); it misses much dark skin."""
    red, green, blue = np.moveaxis(whole, -1, 0)
    reddish = (red - green > 15) & (red > blue)
    mask: NDArray[np.bool_] = (red > 95) & (green > 40) & (blue > 20) & (chroma > 15) & reddish
    return mask
