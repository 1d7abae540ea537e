"""Which axes of a sample are an image's height, width and colours."""

from __future__ import annotations

from typing import Literal

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
