"""The order of height, width and colors among the axes of an image, and changes of that order."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Layout = Literal["HW", "HWC", "CHW"]
"""Axes of one image: H height, W width, C colors (1 or 3)."""


def image_layout(shape: tuple[int, ...]) -> Layout | None:
    """Return the layout of samples of a shape; None where they are no images.

    >>> image_layout((28, 28)), image_layout((32, 32, 3)), image_layout((3, 32, 32)), image_layout((784,))
    ('HW', 'HWC', 'CHW', None)
    """
    if len(shape) == 2:
        return "HW"
    if len(shape) == 3 and shape[-1] in (1, 3):
        return "HWC"
    if len(shape) == 3 and shape[0] in (1, 3):
        return "CHW"
    return None


def to_planes(x: Tensor, layout: Layout) -> Tensor:
    """Return images as color planes.

    Args:
        x: images (N, ...) of a layout.
        layout: that layout.

    Returns:
        The same images (N, C, H, W), as a view.
    """
    return x[:, None] if layout == "HW" else x.movedim(-1, 1) if layout == "HWC" else x


def from_planes(planes: Tensor, layout: Layout) -> Tensor:
    """Return color planes in the layout that the images came in.

    Args:
        planes: images (N, C, H, W).
        layout: the layout to return to.

    Returns:
        The same images (N, ...), as a view.
    """
    return planes[:, 0] if layout == "HW" else planes.movedim(1, -1) if layout == "HWC" else planes


def is_image(shape: tuple[int, ...]) -> bool:
    """Return True if samples look like pictures: (H, W), (H, W, 1|3) or (1|3, H, W), both sides at least 4."""
    if len(shape) == 2:
        return min(shape) >= 4
    if len(shape) != 3:
        return False
    return (shape[-1] in (1, 3) and min(shape[:2]) >= 4) or (shape[0] in (1, 3) and min(shape[1:]) >= 4)


def channels_last(image: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return one image as (H, W) if it has a single channel, else as (H, W, 3)."""
    if image.ndim == 2:
        return image
    last = image if image.shape[-1] in (1, 3) else np.moveaxis(image, 0, -1)
    return last[..., 0] if last.shape[-1] == 1 else last


def as_picture(image: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return one image ready to be shown: channels last, a single channel dropped, floats scaled to 0 … 1."""
    last = channels_last(image)
    if last.ndim == 2 or last.dtype == np.uint8:
        return last
    low, high = float(last.min()), float(last.max())
    return np.asarray((last.astype(np.float32) - low) / (high - low or 1.0))
