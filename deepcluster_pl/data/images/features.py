"""What is measured of each picture where samples are made, in the processes that decode; nothing here is learned."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.images.descriptors import BLOCKS, RGB, SMALLEST_SIDE, describe
from deepcluster_pl.data.images.descriptors.planes import square
from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.ranges import Count


class Features(ABC):
    """Turns pictures into samples, in two steps: one picture in any process, many at once in the first.

    Attributes:
        side: longer side, in pixels, of the pictures that it is given.
        shape: of one sample.
        dtype: of its numbers.
    """

    side: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def check(self) -> None:  # noqa: B027 - most need nothing
        """`UserError` where something is missing; said before a file is read."""

    @abstractmethod
    def of_picture(self, rgb: RGB) -> NDArray[Any]:
        """What is kept of a picture (H, W, 3), both sides at least `SMALLEST_SIDE`."""

    def of_many(self, kept: NDArray[Any]) -> NDArray[Any]:
        """Samples (B, *shape) of what `of_picture` gave of B pictures."""
        return kept

    @abstractmethod
    def recipe(self) -> dict[str, Any]:
        """All that decides a sample, as plain values: samples of another recipe are not those of this one."""


class Thumbnails(Features):
    """The picture itself as bytes (size, size, 3), stretched to a square.

    Args:
        size: pixels along its side.
    """

    def __init__(self, size: Count) -> None:
        if size < SMALLEST_SIDE:
            raise UserError(f"data.features.size={size} is too small, expected at least {SMALLEST_SIDE}")
        self.side = size
        self.shape = (size, size, 3)
        self.dtype = np.dtype(np.uint8)

    def of_picture(self, rgb: RGB) -> NDArray[np.uint8]:
        """Bytes (size, size, 3)."""
        return square(rgb, self.side)

    def recipe(self) -> dict[str, Any]:
        """The size."""
        return {"features": "thumbnails", "size": self.side}


class Descriptors(Features):
    """Numbers that describe color, drawing, gradients, texture, structure and writing: float32 (F,).

    Args:
        blocks: names in `deepcluster_pl.data.images.descriptors.BLOCKS`, in the order of the numbers.
        side: longer side, in pixels, that pictures are described at.
    """

    def __init__(self, blocks: list[str], side: Count) -> None:
        unknown = [name for name in blocks if name not in BLOCKS]
        if unknown or not blocks or len(set(blocks)) < len(blocks):
            raise UserError(f"data.features.blocks={blocks}: expected each at most once of {', '.join(BLOCKS)}")
        if side < 2 * SMALLEST_SIDE:
            raise UserError(f"data.features.side={side} is too small, expected at least {2 * SMALLEST_SIDE}")
        self.blocks = list(blocks)
        self.side = side
        self.shape = (sum(BLOCKS[name][1] for name in blocks),)
        self.dtype = np.dtype(np.float32)

    def of_picture(self, rgb: RGB) -> NDArray[np.float32]:
        """Numbers (F,)."""
        return describe(rgb, self.blocks)

    def recipe(self) -> dict[str, Any]:
        """Blocks and side."""
        return {"features": "descriptors", "blocks": self.blocks, "side": self.side}
