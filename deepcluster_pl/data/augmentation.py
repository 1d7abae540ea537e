"""Small random distortions of images during training, drawn anew for every sample of every batch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Literal

import pytorch_lightning as pl
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


class Affine:
    """Shifts, turns, slants and zooms each image of a batch by its own random amounts.

    What is drawn depends on `seed` and on the batch's place in training alone, so that a resumed run, and a run on
    another device, sees the same distortions. The published setting for digits is a shift of 0.1 and a rotation of 10
    degrees, filled with the nearest pixels (DEC-DA: Guo, Zhu, Liu, Yin 2018).

    Args:
        shift: at most this share of the sides, along both.
        rotation: at most this many degrees, to both sides.
        shear: at most this many degrees.
        zoom: at most this share larger or smaller.
        fill: what comes in from outside the image.
        seed: decides everything drawn.
    """

    def __init__(
        self,
        shift: Share,
        rotation: Degrees,
        shear: Slant,
        zoom: OpenShare,
        fill: Literal["nearest", "zeros"],
        seed: NonNegativeInt,
    ) -> None:
        self.shift = shift
        self.rotation = rotation
        self.shear = shear
        self.zoom = zoom
        self.fill = fill
        self.seed = seed

    def __call__(self, x: Tensor, *place: int) -> Tensor:
        """Distorted copies of images (N, H, W), (N, H, W, 1|3) or (N, 1|3, H, W).

        Args:
            x: floating point images.
            place: numbers that tell this batch from others, such as epoch, batch and rank.
        """
        layout = _layout(tuple(x.shape[1:]))
        amounts = torch.rand(len(x), 5, generator=generator_at(self.seed, *place)) * 2 - 1
        planes = to_planes(x, layout)
        height, width = planes.shape[2:]
        with torch.autocast(x.device.type, enabled=False):  # bf16 cannot tell one pixel from the next
            moves = self.matrices(amounts, height, width).to(x)
            grid = F.affine_grid(moves, list(planes.shape), align_corners=False)
            padding = "border" if self.fill == "nearest" else "zeros"
            moved = F.grid_sample(planes, grid, padding_mode=padding, align_corners=False)
        return from_planes(moved, layout)

    def matrices(self, amounts: Tensor, height: int, width: int) -> Tensor:
        """For each sample the matrix (N, 2, 3) that takes a point of the new image to its point in the old one.

        Points run from -1 to 1 along either side, as `torch.nn.functional.affine_grid` has them; turning and slanting
        happen in pixels, so that an oblong image is not distorted.

        Args:
            amounts: (N, 5), from -1 to 1: rotation, shear, zoom, shift along x, shift along y.
            height: pixels.
            width: pixels.
        """
        turn, slant = (amounts[:, i] * math.radians(limit) for i, limit in enumerate((self.rotation, self.shear)))
        scale = 1 + amounts[:, 2] * self.zoom
        zero = torch.zeros_like(turn)
        rotate = torch.stack([turn.cos(), -turn.sin(), turn.sin(), turn.cos()], dim=1).view(-1, 2, 2)
        shear = torch.stack([zero + 1, slant.tan(), zero, zero + 1], dim=1).view(-1, 2, 2)
        half = torch.tensor([width / 2, height / 2])
        linear = (rotate @ shear) / scale[:, None, None] * half / half[:, None]
        return torch.cat([linear, 2 * self.shift * amounts[:, 3:, None]], dim=2)

    def check(self, input_shape: tuple[int, ...]) -> None:
        """`UserError` where samples of this shape are no images."""
        _layout(input_shape)


def at_step(augment: Affine | None, module: pl.LightningModule, batch_idx: int) -> Callable[[Tensor], Tensor] | None:
    """The distortion of this very batch of training; None where none is asked for."""
    if augment is None:
        return None
    return lambda x: augment(x, module.current_epoch, batch_idx, module.global_rank)


def _layout(shape: tuple[int, ...]) -> Layout:
    layout = image_layout(shape)
    if layout is None:
        text = "x".join(map(str, shape))
        raise UserError(f"augment=affine distorts images (height x width); found samples of {text}; type augment=none")
    return layout
