"""Planes of a picture, such as brightness and saturation, and the picture as a small square."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RGB = NDArray[np.uint8]
"""A picture (H, W, 3): red, green and blue from 0 to 255."""
Plane = NDArray[np.floating[Any]]
SIDE = 128
"""Pixels along the side of the square that places in a picture are measured in."""


def stretch_to_square(rgb: RGB, side: int = SIDE) -> RGB:
    """Resize the whole picture to a square, whatever its proportions.

    Args:
        rgb: bytes (H, W, 3).
        side: pixels along the side of the square.

    Returns:
        Bytes (side, side, 3): averages of boxes where both sides shrink, else a bilinear interpolation.
    """
    shrinks = min(rgb.shape[:2]) > side
    return np.asarray(
        Image.fromarray(rgb).resize((side, side), Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR)
    )


def luminance(rgb: RGB) -> NDArray[np.float32]:
    """Compute the brightness (H, W) from 0 to 255, with the color weights of ITU-R BT.601."""
    weighted: NDArray[np.float32] = rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    return weighted


def hue_saturation_value(rgb: RGB) -> tuple[Plane, Plane, Plane]:
    """Convert a picture (H, W, 3) to planes (H, W) from 0 to 1; gray has hue 0 and saturation 0.

    `matplotlib.colors.rgb_to_hsv` returns the same numbers, but takes several times as long.

    >>> [plane.item() for plane in hue_saturation_value(np.array([[[0, 255, 0]]], dtype=np.uint8))]
    [0.3333333432674408, 1.0, 1.0]
    """
    red, green, blue = np.moveaxis(rgb.astype(np.float32) / 255, -1, 0)
    value, least = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    chroma = value - least
    safe = np.where(chroma > 0, chroma, 1)
    # The hue in sixths of a turn: the largest channel says which third, the difference of the others where in it.
    sector = np.where(
        value == red,
        ((green - blue) / safe) % 6,
        np.where(value == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    return np.where(chroma > 0, sector / 6, 0), chroma / np.where(value > 0, value, 1), value


def split_into_cells(plane: NDArray[Any], grid: int) -> NDArray[Any]:
    """Group the pixels of a square plane by the cells of a grid, row by row.

    Args:
        plane: (S, S, ...).
        grid: cells along a side; it divides S.

    Returns:
        Pixels (grid², S²/grid², ...) of each cell.
    """
    step = plane.shape[0] // grid
    cells = plane.reshape(grid, step, grid, step, *plane.shape[2:]).swapaxes(1, 2)
    return cells.reshape(grid * grid, step * step, *plane.shape[2:])
