"""Random distortions of images during training, with amounts of its own for each image of each batch."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from annotated_types import Interval
from torch import Tensor

from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.image_layout import Layout, from_planes, image_layout, to_planes
from deepcluster_pl.utils.random import generator_at
from deepcluster_pl.utils.ranges import NonNegativeInt, OpenShare, Share

Degrees = Annotated[float, Interval(ge=0, le=180)]
Slant = Annotated[float, Interval(ge=0, lt=90)]
_AMOUNTS = 5
"""Amounts of each image, without its side."""
_MIRROR = 3
"""Separates the random stream of sides from that of amounts."""


class Affine:
    """Random shift, rotation, shear and zoom of each image of a batch, and its mirror image where that is allowed.

    The amounts depend on `seed` and on the batch's place in training alone, so a resumed run, and a run on another
    device, sees the same distortions. The published setting for digits is a shift of 0.1 and a rotation of 10
    degrees, filled with the nearest pixels (DEC-DA: Guo, Zhu, Liu, Yin 2018).

    Args:
        shift: at most this share of the sides, along both.
        rotation: at most this many degrees, to both sides.
        shear: at most this many degrees.
        zoom: at most this share larger or smaller.
        fill: content of pixels from outside the image: the `nearest` pixel, `zeros`, or the image's own `background`,
            the median of the pixels around its edge.
        seed: seed of all draws.
        flip: whether every other image, at random, is mirrored: left becomes right.
    """

    def __init__(
        self,
        shift: Share,
        rotation: Degrees,
        shear: Slant,
        zoom: OpenShare,
        fill: Literal["nearest", "zeros", "background"],
        seed: NonNegativeInt,
        flip: bool = False,
    ) -> None:
        self.shift = shift
        self.rotation = rotation
        self.shear = shear
        self.zoom = zoom
        self.fill = fill
        self.seed = seed
        self.flip = flip

    def __call__(self, x: Tensor, *place: int) -> Tensor:
        """Return distorted copies of images, by amounts drawn for this place in training.

        Args:
            x: floating point images (N, H, W), (N, H, W, 1|3) or (N, 1|3, H, W).
            place: numbers that tell this batch from others, such as epoch, batch and rank.

        Returns:
            Images of the same shape and type.
        """
        return self.transform(x, self.draw(len(x), *place))

    def draw(self, n: int, *place: int) -> Tensor:
        """Draw the amounts of n images.

        Args:
            n: number of images.
            place: numbers that tell this batch from others, such as epoch, batch and rank.

        Returns:
            Amounts (n, 5) on the CPU, from -1 to 1: rotation, shear, zoom, shift along x, shift along y. With `flip`
            they are (n, 6): -1 mirrors an image, 1 does not.
        """
        amounts = torch.rand(n, 5, generator=generator_at(self.seed, *place)) * 2 - 1
        if not self.flip:
            return amounts
        sides = torch.randint(2, (n, 1), generator=generator_at(self.seed, *place, _MIRROR)) * 2.0 - 1
        return torch.cat([amounts, sides], dim=1)

    def transform(self, x: Tensor, amounts: Tensor) -> Tensor:
        """Return images distorted by given amounts.

        Args:
            x: floating point images (N, H, W), (N, H, W, 1|3) or (N, 1|3, H, W).
            amounts: (N, 5) or (N, 6), as `draw` returns them.

        Returns:
            Images of the same shape and type.
        """
        layout = _layout(tuple(x.shape[1:]))
        planes = to_planes(x, layout)
        height, width = planes.shape[2:]
        with torch.autocast(x.device.type, enabled=False):  # bf16 cannot tell one pixel from the next
            moves = self.matrices(amounts, height, width).to(x)
            grid = F.affine_grid(moves, list(planes.shape), align_corners=False)
            padding = "border" if self.fill == "nearest" else "zeros"
            # The background is zero while pixels move
            level = _edge_median(planes) if self.fill == "background" else planes.new_zeros(())
            moved = F.grid_sample(planes - level, grid, padding_mode=padding, align_corners=False) + level
        return from_planes(moved, layout)

    def matrices(self, amounts: Tensor, height: int, width: int) -> Tensor:
        """Return for each image the matrix that takes a point of the new image to its point in the old one.

        Points run from -1 to 1 along either side, as `torch.nn.functional.affine_grid` has them; turning and slanting
        happen in pixels, so that an oblong image is not distorted.

        Args:
            amounts: (N, 5) or (N, 6), as `draw` returns them.
            height: pixels.
            width: pixels.

        Returns:
            Matrices (N, 2, 3).
        """
        turn, slant = (amounts[:, i] * math.radians(limit) for i, limit in enumerate((self.rotation, self.shear)))
        scale = 1 + amounts[:, 2] * self.zoom
        zero = torch.zeros_like(turn)
        rotate = torch.stack([turn.cos(), -turn.sin(), turn.sin(), turn.cos()], dim=1).view(-1, 2, 2)
        shear = torch.stack([zero + 1, slant.tan(), zero, zero + 1], dim=1).view(-1, 2, 2)
        # From pixels to sides; by numbers, because a captured step reads no tensor of the CPU
        linear, sides = (rotate @ shear) / scale[:, None, None], (width / 2, height / 2)
        linear = torch.stack([linear[:, :, i] * side for i, side in enumerate(sides)], dim=2)
        linear = torch.stack([linear[:, i] / side for i, side in enumerate(sides)], dim=1)
        # A mirror image takes its points from the other side
        if amounts.shape[1] > _AMOUNTS:
            linear = torch.stack([linear[:, :, 0] * amounts[:, _AMOUNTS:], linear[:, :, 1]], dim=2)
        return torch.cat([linear, 2 * self.shift * amounts[:, 3:_AMOUNTS, None]], dim=2)

    def check(self, input_shape: tuple[int, ...]) -> None:
        """Raise `UserError` where samples of this shape are no images."""
        _layout(input_shape)


def _edge_median(planes: Tensor) -> Tensor:
    """Return the median (N, C, 1, 1) of the pixels around the edge of each color plane (N, C, H, W)."""
    edge = [planes[:, :, 0], planes[:, :, -1], planes[:, :, :, 0], planes[:, :, :, -1]]
    return torch.cat(edge, dim=2).median(dim=2).values[:, :, None, None]


def _layout(shape: tuple[int, ...]) -> Layout:
    layout = image_layout(shape)
    if layout is None:
        text = "x".join(map(str, shape))
        raise UserError(f"augment=affine distorts images (height x width); found samples of {text}; type augment=none")
    return layout
