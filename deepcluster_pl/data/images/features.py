"""Features of a picture that become a sample; they are computed in the processes that decode, and never learned."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.images.descriptors import BLOCKS, RGB, SMALLEST_SIDE, describe
from deepcluster_pl.data.images.descriptors.planes import stretch_to_square
from deepcluster_pl.data.images.objects import objects_installed
from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.ranges import Count


class Features(ABC):
    """Interface of what turns pictures into samples, in two steps.

    `extract` works on one picture, in any process. `to_samples` works on many at once, in the run's own process, where
    a backbone may use an accelerator.

    Attributes:
        side: longer side, in pixels, of the pictures that `extract` takes.
        shape: of one sample.
        dtype: of a sample's numbers.
        files_at_once: number of files that a process is given at once; one where a file takes a second.
    """

    side: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    files_at_once = 8

    def check(self) -> None:  # noqa: B027 - most need nothing
        """Raise `UserError` where something is missing; called before any file is read."""

    @abstractmethod
    def extract(self, rgb: RGB) -> NDArray[Any]:
        """Return the numbers to store of a picture (H, W, 3), both sides at least `SMALLEST_SIDE`."""

    def to_samples(self, extracted: NDArray[Any]) -> NDArray[Any]:
        """Return samples (B, *shape) of the results of `extract` for B pictures."""
        return extracted

    def words(self, samples: NDArray[Any]) -> tuple[list[str], NDArray[np.float32]] | None:
        """Return the words that are known for pictures, and the probability (B, V) of each in samples; most know none.

        Args:
            samples: (B, *shape), as `to_samples` returns them.
        """
        return None

    def block(self, samples: NDArray[Any], name: str) -> NDArray[Any] | None:
        """Return the numbers (B, n) of one block of samples; None where samples have no such block.

        Args:
            samples: (B, *shape), as `to_samples` returns them.
            name: of the block.
        """
        return None

    def note(self) -> str:
        """Return a line for the user about what these features are, or lack; most need none."""
        return ""

    @abstractmethod
    def recipe(self) -> dict[str, Any]:
        """Return all that decides a sample, as plain values; the cache keeps samples of different recipes apart."""


class Thumbnails(Features):
    """The picture itself as bytes (size, size, 3), stretched to a square.

    Args:
        size: pixels along the side of the square.
    """

    def __init__(self, size: Count) -> None:
        if size < SMALLEST_SIDE:
            raise UserError(f"data.features.size={size} is too small, expected at least {SMALLEST_SIDE}")
        self.side = size
        self.shape = (size, size, 3)
        self.dtype = np.dtype(np.uint8)

    def extract(self, rgb: RGB) -> NDArray[np.uint8]:
        """Return the picture as a square (size, size, 3) of bytes."""
        return stretch_to_square(rgb, self.side)

    def recipe(self) -> dict[str, Any]:
        """Return the size."""
        return {"features": "thumbnails", "size": self.side}


class Descriptors(Features):
    """Numbers (F,) of float32 that describe color, drawing, gradients, texture, structure and writing.

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

    def extract(self, rgb: RGB) -> NDArray[np.float32]:
        """Return the numbers (F,) of the blocks, concatenated."""
        return describe(rgb, self.blocks)

    def note(self) -> str:
        """Return a line about the extra that would see objects, where it is missing."""
        if objects_installed():
            return ""
        return "what pictures show is not seen; pip install 'deepcluster_pl[photos]' adds a trained network (19 MB)"

    def recipe(self) -> dict[str, Any]:
        """Return the blocks and the side."""
        return {"features": "descriptors", "blocks": self.blocks, "side": self.side}
