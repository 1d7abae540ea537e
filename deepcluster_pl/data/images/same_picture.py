"""Decide whether two pictures are copies of one, by laying them over each other and looking at every place."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray
from PIL import Image

Gray = NDArray[np.float32]
COMPARED_SIDE = 512
"""Longer side, in pixels, at which pictures are compared; smaller ones are compared at their own size."""
_LEVELS = (48, 96, 192)
"""Longer sides at which the placement is improved, one after the other; then that of the comparison."""
_STEPS = 8
_LEAST_OVERLAP = 0.7
_BLOCK = 12
_CONTRAST = 9.0
"""Standard deviation of brightness (of 255 levels) from which a block shows something."""
_LEAST_CORRELATION, _LEAST_EARLY_CORRELATION = 0.95, 0.8
_LEAST_IN_BLOCK, _MOST_BAD_BLOCKS, _MOST_BAD_BLOCKS_EARLY = 0.7, 0.02, 0.06


class Placement(NamedTuple):
    """Place of one picture in another: x' = left + width · x and y' = top + height · y, from 0 to 1 in each.

    Attributes:
        left: of the part of the other picture, likewise `top`, `width` and `height`.
    """

    left: float
    top: float
    width: float
    height: float


WHOLE = Placement(0.0, 0.0, 1.0, 1.0)


def are_copies(one: NDArray[np.uint8], other: NDArray[np.uint8], start: Placement = WHOLE) -> bool:
    """Return whether two gray pictures (H, W) are of one, perhaps scaled, cropped, brightened or compressed.

    The other is laid over the one, and the placement improved until their brightness agrees best. Then every block of
    12 x 12 pixels that shows something in either of them has to show the same in both. So pages and screenshots of
    different text are no copies, although they look alike when they are small.

    Args:
        one: bytes.
        other: bytes; the picture, or a part of it.
        start: about the place of `other` in `one`.
    """
    side = min(COMPARED_SIDE, max(one.shape), round(max(other.shape) / max(start.width, start.height, 0.1)))
    placement = start
    for level in (*(level for level in _LEVELS if level < side), side):
        a, b = _resized(one, level), _resized(other, max(8, round(level * max(start.width, start.height))))
        placement = _improved(a, b, placement)
        is_last = level == side
        if _agreement(a, b, placement) < (_LEAST_CORRELATION if is_last else _LEAST_EARLY_CORRELATION):
            return False
        if _bad_blocks(a, b, placement) > (_MOST_BAD_BLOCKS if is_last else _MOST_BAD_BLOCKS_EARLY):
            return False
    return True


def sharpness(gray: NDArray[np.uint8]) -> float:
    """Return how strong the finest details of a picture (H, W) are: the variance of its Laplacian."""
    return float(scipy.ndimage.laplace(gray.astype(np.float32)).var())


def _resized(gray: NDArray[np.uint8], side: int) -> Gray:
    """Return a picture at a longer side, slightly blurred, so that places between pixels can be looked at."""
    scale = min(1.0, side / max(gray.shape))
    size = max(8, round(gray.shape[1] * scale)), max(8, round(gray.shape[0] * scale))
    small = np.asarray(Image.fromarray(gray).resize(size, Image.Resampling.BOX), dtype=np.float32)
    return np.asarray(scipy.ndimage.gaussian_filter(small, 0.8))


def _laid_over(a: Gray, shape: tuple[int, ...], placement: Placement) -> tuple[Gray, NDArray[np.bool_]]:
    """Return the part of `a` at a placement, sampled at `shape` (H, W), and which of its pixels are within `a`."""
    height, width = shape
    y = (placement.top + placement.height * (np.arange(height) + 0.5) / height) * a.shape[0] - 0.5
    x = (placement.left + placement.width * (np.arange(width) + 0.5) / width) * a.shape[1] - 0.5
    # Bilinear, one axis after the other: nothing is turned
    low, share = _between(y, a.shape[0])
    rows = a[low] + share[:, None] * (a[low + 1] - a[low])
    low, share = _between(x, a.shape[1])
    part = rows[:, low] + share * (rows[:, low + 1] - rows[:, low])
    inside = np.logical_and.outer((y > -1) & (y < a.shape[0]), (x > -1) & (x < a.shape[1]))
    return part, inside


def _between(places: NDArray[np.float64], length: int) -> tuple[NDArray[np.int64], Gray]:
    """Return the pixel below each place on an axis, and how far the place is from it to the next; ends are repeated."""
    within = np.clip(places, 0, length - 1)
    low = np.minimum(within.astype(np.int64), length - 2)
    return low, (within - low).astype(np.float32)


def _improved(a: Gray, b: Gray, placement: Placement) -> Placement:
    """Return the placement of b in a at which brightness agrees best, by Gauss-Newton steps (Lucas-Kanade, 1981)."""
    height, width = b.shape
    v = ((np.arange(height) + 0.5) / height)[:, None]
    u = ((np.arange(width) + 0.5) / width)[None, :]
    target = (b - b.mean()) / max(float(b.std()), 1e-3)
    best, best_agreement = placement, _agreement(a, b, placement)
    for _ in range(_STEPS):
        part, inside = _laid_over(a, b.shape, placement)
        unit = max(float(part[inside].std()), 1e-3) if inside.any() else 1.0
        warped = (part - (part[inside].mean() if inside.any() else 0.0)) / unit
        # Change of brightness by left, top, width and height; gradients are per unit of x' and y'
        by_row, by_column = np.gradient(warped)
        by_top, by_left = by_row * height / placement.height, by_column * width / placement.width
        columns = [by_left, by_top, by_left * u, by_top * v]
        slopes = np.stack([column[inside] for column in columns], axis=1)
        error = (target - warped)[inside]
        gram = slopes.T @ slopes
        step = np.linalg.solve(gram + 1e-3 * np.trace(gram) / 4 * np.eye(4) + 1e-9 * np.eye(4), slopes.T @ error)
        step = np.clip(step, -0.1, 0.1)
        left, top, wide, high = (value + change for value, change in zip(placement, step.tolist(), strict=True))
        placement = Placement(left, top, min(max(wide, 0.3), 3.0), min(max(high, 0.3), 3.0))
        agreement = _agreement(a, b, placement)
        if agreement > best_agreement:
            best, best_agreement = placement, agreement
        if np.abs(step).max() < 0.05 / max(b.shape):
            break
    return best


def _agreement(a: Gray, b: Gray, placement: Placement) -> float:
    """Return the correlation of brightness where the pictures overlap; -1 where they hardly do."""
    part, inside = _laid_over(a, b.shape, placement)
    if inside.mean() < _LEAST_OVERLAP:
        return -1.0
    x, y = part[inside] - part[inside].mean(), b[inside] - b[inside].mean()
    deviations = float(np.sqrt((x * x).mean() * (y * y).mean()))
    if deviations < 1e-3:
        return 1.0 if abs(float(part[inside].mean() - b[inside].mean())) < 2 else -1.0
    return float((x * y).mean()) / deviations


def _bad_blocks(a: Gray, b: Gray, placement: Placement) -> float:
    """Return the share of blocks that show other things, of those that show something in one of the pictures."""
    part, inside = _laid_over(a, b.shape, placement)
    # The same mean and contrast, so that brightened copies stay copies
    x = (part - part[inside].mean()) * (b[inside].std() / max(float(part[inside].std()), 1e-3)) + b[inside].mean()
    rows, columns = b.shape[0] // _BLOCK, b.shape[1] // _BLOCK
    if not rows or not columns:
        return 1.0

    def blocks(plane: NDArray[np.floating]) -> NDArray[np.floating]:
        cut = plane[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
        return cut.swapaxes(1, 2).reshape(rows * columns, -1)

    whole = blocks(inside.astype(np.float32)).min(axis=1) > 0
    p, q = blocks(x)[whole], blocks(b)[whole]
    p, q = p - p.mean(axis=1, keepdims=True), q - q.mean(axis=1, keepdims=True)
    spread_p, spread_q = np.sqrt((p * p).mean(axis=1)), np.sqrt((q * q).mean(axis=1))
    shows = np.maximum(spread_p, spread_q) > _CONTRAST
    if not shows.any():
        return 0.0
    # Deviations from the sum of both: a block that is empty in one of them does not agree
    correlation = 2 * (p * q).mean(axis=1) / np.maximum(spread_p**2 + spread_q**2, 1e-6)
    return float((correlation[shows] < _LEAST_IN_BLOCK).mean())
