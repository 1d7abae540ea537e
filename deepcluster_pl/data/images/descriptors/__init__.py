"""Numbers that describe a picture without learning: eight blocks, each a pure function of its colors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.images.descriptors.color import layout, palette
from deepcluster_pl.data.images.descriptors.drawing import drawing
from deepcluster_pl.data.images.descriptors.frequency import gist, spectrum
from deepcluster_pl.data.images.descriptors.gradients import gradients
from deepcluster_pl.data.images.descriptors.planes import RGB
from deepcluster_pl.data.images.descriptors.text_marks import writing
from deepcluster_pl.data.images.descriptors.texture import texture

Block = Callable[[RGB], NDArray[np.float32]]
BLOCKS: dict[str, tuple[Block, int]] = {
    "palette": (palette, 38),
    "layout": (layout, 96),
    "drawing": (drawing, 36),
    "gradients": (gradients, 160),
    "texture": (texture, 177),
    "gist": (gist, 384),
    "writing": (writing, 35),
    "spectrum": (spectrum, 48),
}
"""The function of each block, and the length of what it returns."""
SMALLEST_SIDE = 16
"""Pixels that both sides of a described picture need."""


def describe(rgb: RGB, blocks: Sequence[str]) -> NDArray[np.float32]:
    """Compute some blocks of a picture and concatenate them.

    Args:
        rgb: bytes (H, W, 3); both sides at least `SMALLEST_SIDE`.
        blocks: names in `BLOCKS`, in the order of the result.

    Returns:
        Numbers (F,), all finite.
    """
    return np.concatenate([BLOCKS[name][0](rgb) for name in blocks])


__all__ = [
    "BLOCKS", "RGB", "SMALLEST_SIDE", "Block", "describe", "drawing", "gist", "gradients", "layout", "palette",
    "spectrum", "texture", "writing",
]  # fmt: skip
