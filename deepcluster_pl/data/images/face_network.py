"""Faces in pictures by three small trained networks: MTCNN of Zhang and others (2016), arXiv:1604.02878."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.ops import batched_nms

from deepcluster_pl.data.images.face_weights import read_weights

_STEP = 0.709
"""Each level of the pyramid is this much smaller than the one before."""
_CELL, _STRIDE = 12, 2
"""Pixels that the first network sees at once, and from one place to the next."""
_LIKELY = (0.6, 0.7)
"""Probabilities of a face that the first and the second network ask for."""
_OVERLAP = 0.7
_MOST_PLACES = 300
"""Places of a picture, the most likely ones, that the second network looks at."""


class _Stage(nn.Module):
    """One network: convolutions, perhaps a layer that sees everything, and heads for moves and probability.

    Args:
        arrays: weights, biases and slopes in the order of the layers; kernels as (H, W, in, out).
        pools: kernel of the maximum after each convolution, 0 for none; its stride is 2.
        whole: whether parts of a maximum at the edge count, for each.
    """

    def __init__(self, arrays: list[NDArray[np.float32]], pools: tuple[int, ...], whole: tuple[bool, ...]) -> None:
        super().__init__()
        tensors = [torch.from_numpy(np.ascontiguousarray(array)) for array in arrays]
        layers: list[nn.Module] = []
        for kernel, ceil in zip(pools, whole, strict=True):
            weight, bias, slope, *tensors = tensors
            layers += [_convolution(weight, bias), _slopes(slope)]
            if kernel:
                layers.append(nn.MaxPool2d(kernel, 2, ceil_mode=ceil))
        if len(tensors) > 4:  # the first network has none, since it looks at pictures of any size
            weight, bias, slope, *tensors = tensors
            layers += [_Flatten(), _linear(weight, bias), _slopes(slope)]
        self.trunk = nn.Sequential(*layers)
        # Moves first, the probability last; landmarks between them are left out
        make = _convolution if tensors[0].dim() == 4 else _linear
        self.moves, self.face = make(*tensors[:2]), make(*tensors[-2:])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return probabilities (B, ...) of a face, and moves (B, 4, ...) of its edges in parts of the box."""
        features = self.trunk(x)
        return self.face(features).softmax(dim=1)[:, 1], self.moves(features)


class _Flatten(nn.Module):
    """Rows of (B, C, H, W), in the order in which the weights were trained."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, W·H·C)."""
        return x.permute(0, 3, 2, 1).flatten(1)


def _convolution(weight: Tensor, bias: Tensor) -> nn.Conv2d:
    """Return a convolution with weights (H, W, in, out)."""
    layer = nn.Conv2d(weight.shape[2], weight.shape[3], (weight.shape[0], weight.shape[1]))
    layer.load_state_dict({"weight": weight.permute(3, 2, 0, 1), "bias": bias})
    return layer


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    """Return a linear layer with weights (in, out)."""
    layer = nn.Linear(*weight.shape)
    layer.load_state_dict({"weight": weight.T, "bias": bias})
    return layer


def _slopes(slope: Tensor) -> nn.PReLU:
    """Return the slopes of negative values, one for each channel."""
    layer = nn.PReLU(slope.numel())
    layer.load_state_dict({"weight": slope.flatten()})
    return layer


class FaceNetwork:
    """The three networks, each looking more closely at what the one before took for a face.

    Args:
        smallest: side of the smallest face, in pixels of the squares.
    """

    def __init__(self, smallest: int) -> None:
        self.smallest = smallest
        self.propose = _Stage(read_weights("pnet"), (2, 0, 0), (True, False, False)).eval()
        self.refine = _Stage(read_weights("rnet"), (3, 3, 0), (True, False, False)).eval()
        self.decide = _Stage(read_weights("onet"), (3, 3, 2, 0), (True, False, True, False)).eval()

    @torch.inference_mode()
    def find(self, squares: NDArray[np.uint8]) -> list[tuple[Tensor, Tensor]]:
        """Return probabilities (n,) and boxes (n, 4) of the faces in each square (B, S, S, 3), the likeliest first.

        Boxes are left, top, right and bottom, in pixels.
        """
        x = (torch.from_numpy(np.ascontiguousarray(squares)).permute(0, 3, 1, 2).float() - 127.5) / 128
        owner, p, boxes = self._proposed(x)
        for stage, side, least in ((self.refine, 24, _LIKELY[1]), (self.decide, 48, 0.0)):
            owner, boxes, p = _looked_at(stage, x, owner, _squared(boxes), side)
            keep = p > least
            owner, p, boxes = owner[keep], p[keep], boxes[keep]
            keep = batched_nms(boxes, p, owner, _OVERLAP if side == 24 else 0.4)
            owner, p, boxes = owner[keep], p[keep], boxes[keep]
        return [(p[owner == i], boxes[owner == i]) for i in range(len(squares))]

    def _proposed(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return picture (n,), probability (n,) and box (n, 4) of every place that may be a face."""
        scale, found = _CELL / self.smallest, []
        while (side := int(x.shape[-1] * scale)) >= _CELL:
            p, moves = self.propose(F.interpolate(x, size=(side, side), mode="area"))
            owner, row, column = (p > _LIKELY[0]).nonzero(as_tuple=True)
            likely = p[owner, row, column]
            start = torch.stack([column, row], dim=1) * _STRIDE
            boxes = torch.cat([start, start + _CELL], dim=1).float() / scale
            boxes = boxes + moves[owner, :, row, column] * (_CELL / scale)
            keep = batched_nms(boxes, likely, owner, 0.5)
            found.append((owner[keep], likely[keep], boxes[keep]))
            scale *= _STEP
        owner, likely, boxes = (torch.cat(parts) for parts in zip(*found, strict=True))
        keep = batched_nms(boxes, likely, owner, _OVERLAP)
        # Of a picture full of them, only the most likely places are looked at again
        keep = torch.cat([keep[owner[keep] == i][:_MOST_PLACES] for i in range(len(x))])
        return owner[keep], likely[keep], boxes[keep]


def _squared(boxes: Tensor) -> Tensor:
    """Return boxes (n, 4) with both sides as long as the longer one, around the same middle."""
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).amax(dim=1, keepdim=True) / 2
    return torch.cat([middle - half, middle + half], dim=1)


def _looked_at(stage: _Stage, x: Tensor, owner: Tensor, boxes: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor]:
    """Cut boxes out of their pictures and let a network look at them.

    Args:
        stage: the network.
        x: pictures (B, 3, S, S).
        owner: picture (n,) of each box.
        boxes: (n, 4); parts outside the picture are black.
        side: pixels along the side of what the network sees.

    Returns:
        Picture (n,), moved box (n, 4) and probability (n,) of each; boxes of less than a pixel are left out.
    """
    corners = boxes.round().long()
    whole = ((corners[:, 2:] - corners[:, :2]) >= 1).all(dim=1)
    owner, boxes, corners = owner[whole], boxes[whole], corners[whole]
    if not len(owner):
        return owner, boxes, torch.zeros(0)
    size = x.shape[-1]
    cuts = torch.zeros(len(owner), 3, side, side)
    for i, (picture, (left, top, right, bottom)) in enumerate(zip(owner.tolist(), corners.tolist(), strict=True)):
        pad = max(0, -left), max(0, right - size), max(0, -top), max(0, bottom - size)
        part = x[picture, :, max(top, 0) : min(bottom, size), max(left, 0) : min(right, size)]
        if part.numel():
            cut = F.pad(part, pad, value=-127.5 / 128)
            cuts[i] = F.interpolate(cut[None], size=(side, side), mode="area")[0]
    p, moves = stage(cuts)
    lengths = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    return owner, boxes + moves * lengths, p
