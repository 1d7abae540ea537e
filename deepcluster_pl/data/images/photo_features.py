"""Pictures by what a trained network sees in them, beside numbers that describe color, drawing and writing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deepcluster_pl.data.images.descriptors import BLOCKS, RGB, SMALLEST_SIDE, describe
from deepcluster_pl.data.images.features import Descriptors, Features
from deepcluster_pl.data.images.objects import (
    LITE0,
    N_OBJECT_FEATURES,
    OBJECT_SIDE,
    OBJECTS,
    ObjectNetwork,
    pad_to_square,
    vocabulary,
)
from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.ranges import Count

_SQUARE_BYTES = OBJECT_SIDE * OBJECT_SIDE * 3


class PhotoFeatures(Features):
    """Numbers (F,) of float32: features of a trained network, of length 1, and descriptors.

    The network is that of the extra `photos`; see `deepcluster_pl.data.images.objects`. It knows what a picture shows,
    and descriptors know layout and writing, which tell screenshots from documents.

    Args:
        blocks: `objects` first, where the network is wanted, then names of descriptors.
        side: longer side, in pixels, that descriptors look at.
        accelerator: device of the network: cpu, or another name that Lightning's Trainer takes.
    """

    def __init__(self, blocks: list[str], side: Count, accelerator: str) -> None:
        if OBJECTS in blocks[1:]:
            raise UserError(f"data.features.blocks={blocks}: expected {OBJECTS} as the first")
        self.blocks = list(blocks)
        self.has_objects = self.blocks[:1] == [OBJECTS]
        self.described = self.blocks[self.has_objects :]
        n_described = 0
        if self.described or not self.has_objects:
            n_described = Descriptors(self.described, side).shape[0]  # which checks the names and the side
        self.description_side = side
        self.side = max(OBJECT_SIDE, side) if self.has_objects else side
        self.network = ObjectNetwork(accelerator)
        self.shape = (n_described + N_OBJECT_FEATURES * self.has_objects,)
        self.dtype = np.dtype(np.float32)

    def check(self) -> None:
        """Raise `UserError` where the network is wanted and the extra `photos` is missing."""
        if self.has_objects:
            self.network.check()

    def extract(self, rgb: RGB) -> NDArray[Any]:
        """Return bytes: the square that the network will see, then the descriptors; the latter alone without it."""
        if not self.has_objects:
            return describe(rgb, self.described)
        parts = [pad_to_square(rgb, OBJECT_SIDE).reshape(-1)]
        if self.described:
            parts.append(describe(_shrink(rgb, self.description_side), self.described).view(np.uint8))
        return np.concatenate(parts)

    def to_samples(self, extracted: NDArray[Any]) -> NDArray[np.float32]:
        """Return samples (B, F) of bytes (B, ...) of `extract`; the network sees many pictures at once."""
        if not self.has_objects:
            return extracted
        squares = extracted[:, :_SQUARE_BYTES].reshape(-1, OBJECT_SIDE, OBJECT_SIDE, 3)
        described = np.ascontiguousarray(extracted[:, _SQUARE_BYTES:]).view(np.float32)
        return np.concatenate([self.network.embed(squares), described], axis=1)

    def words(self, samples: NDArray[Any]) -> tuple[list[str], NDArray[np.float32]] | None:
        """Return the words that the network knows, and the probability (B, V) of each in samples (B, F)."""
        if not self.has_objects:
            return None
        return vocabulary(), self.network.word_probabilities(samples[:, :N_OBJECT_FEATURES])

    def block(self, samples: NDArray[Any], name: str) -> NDArray[Any] | None:
        """Return the numbers (B, n) of one block of samples (B, F); None where it is not measured."""
        if name not in self.blocks:
            return None
        before = self.blocks[: self.blocks.index(name)]
        start = sum(block_length(other) or 0 for other in before)
        return samples[:, start : start + (block_length(name) or 0)]

    def recipe(self) -> dict[str, Any]:
        """Return the blocks, the side, and the hash of the network's weights."""
        recipe: dict[str, Any] = {"features": "descriptors", "blocks": self.described, "side": self.description_side}
        if self.has_objects:
            recipe |= {"features": "photos", "weights": LITE0.sha256, "network_side": OBJECT_SIDE}
        return recipe

    def note(self) -> str:
        """Return a line about the network, or about what it would add."""
        if self.has_objects:
            return "objects by EfficientNet-Lite0, trained on ImageNet (Apache-2.0); no picture leaves this machine"
        return Descriptors(self.described, self.description_side).note()


def _shrink(rgb: RGB, side: int) -> RGB:
    """Return a picture at a smaller longer side; one that is small enough stays."""
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return rgb
    size = max(SMALLEST_SIDE, round(width * scale)), max(SMALLEST_SIDE, round(height * scale))
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BICUBIC))


def block_length(name: str) -> int | None:
    """Return how many numbers a block has; None for a name that is none of a block's.

    >>> block_length("objects"), block_length("palette"), block_length("palete")
    (1280, 38, None)
    """
    if name == OBJECTS:
        return N_OBJECT_FEATURES
    return BLOCKS[name][1] if name in BLOCKS else None
