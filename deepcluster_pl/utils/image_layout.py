"""Which axes of a sample are an image's height, width and colors."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Layout = Literal["HW", "HWC", "CHW"]


def image_layout(shape: tuple[int, ...]) -> Layout | None:
    """The layout of samples of this shape; None where they are no images.

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
    """Images of a layout as (N, C, H, W)."""
    return x[:, None] if layout == "HW" else x.movedim(-1, 1) if layout == "HWC" else x


def from_planes(planes: Tensor, layout: Layout) -> Tensor:
    """Images (N, C, H, W) in the layout they came in."""
    return planes[:, 0] if layout == "HW" else planes.movedim(1, -1) if layout == "HWC" else planes


def is_image(shape: tuple[int, ...]) -> bool:
    """Whether samples look like pictures: (H, W), (H, W, 1|3) or (1|3, H, W), both sides at least 4."""
    if len(shape) == 2:
        return min(shape) >= 4
    if len(shape) != 3:
        return False
    return (shape[-1] in (1, 3) and min(shape[:2]) >= 4) or (shape[0] in (1, 3) and min(shape[1:]) >= 4)


def channels_last(image: NDArray[np.generic]) -> NDArray[np.generic]:
    """(H, W) for a single channel, else (H, W, 3)."""
    if image.ndim == 2:
        return image
    last = image if image.shape[-1] in (1, 3) else np.moveaxis(image, 0, -1)
    return last[..., 0] if last.shape[-1] == 1 else last


def as_picture(image: NDArray[np.generic]) -> NDArray[np.generic]:
    """Channels last, a single channel dropped, colors in 0 … 1."""
    last = channels_last(image)
    if last.ndim == 2 or last.dtype == np.uint8:
        return last
    low, high = float(last.min()), float(last.max())
    return np.asarray((last.astype(np.float32) - low) / (high - low or 1.0))
