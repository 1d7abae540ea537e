"""Small pictures to look at, and which of them show the same."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deepcluster_pl.descriptors.planes import RGB

SIDE = 128
"""Pixels of a thumbnail's longer side."""
_QUALITY, _HASH = 72, 8
_BITS_APART, _LEVELS_APART, _CORRELATION = 6, 8.0, 0.98
_ROWS_AT_ONCE = 512


def thumbnail_of(rgb: RGB) -> bytes:
    """A picture (H, W, 3) as a JPEG of at most 128 pixels a side; nothing of the file's metadata is in it."""
    image = Image.fromarray(rgb)
    image.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY, optimize=True)
    return file.getvalue()


def alike(thumbnails: Sequence[bytes]) -> list[list[int]]:
    """Groups of pictures that show the same, such as copies in other sizes, each with at least two, by position.

    Two are alike where the differences of neighbouring pixels have the same sign in all but six places of an 8 x 8 grid
    (the difference hash), and their squares of 16 x 16 differ by less than eight levels of 255 on average and
    correlate above .98, without which any two nearly white pages would be copies.
    """
    if not thumbnails:
        return []
    signs, squares = zip(*(_outline(thumbnail) for thumbnail in thumbnails), strict=True)
    bits, levels = np.stack(signs), np.stack(squares)
    group = np.arange(len(bits))
    for start in range(0, len(bits), _ROWS_AT_ONCE):
        some = bits[start : start + _ROWS_AT_ONCE]
        shared = some @ bits.T  # of signs +1 and -1: agreements less disagreements
        rows, others = np.nonzero(shared >= bits.shape[1] - 2 * _BITS_APART)
        new = (rows + start < others) & (group[rows + start] != group[others])
        for i, j in zip((rows[new] + start).tolist(), others[new].tolist(), strict=True):
            if group[i] != group[j] and _same(levels[i], levels[j]):
                group[group == group[j]] = group[i]
    return [np.flatnonzero(group == k).tolist() for k in np.unique(group) if (group == k).sum() > 1]


def _same(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    """Whether two squares (16, 16, 3) are of one picture."""
    if float(np.abs(one - other).mean()) >= _LEVELS_APART:
        return False
    deviations = float(one.std() * other.std())
    covariance = float(((one - one.mean()) * (other - other.mean())).mean())
    return covariance > _CORRELATION * deviations if deviations > 0 else bool((one == other).all())


def _outline(thumbnail: bytes) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Signs (64) of differences along rows of the grey picture, and the picture as a small square (16, 16, 3)."""
    with Image.open(io.BytesIO(thumbnail)) as image:
        grey = np.asarray(image.convert("L").resize((_HASH + 1, _HASH), Image.Resampling.BOX), dtype=np.float32)
        square = np.asarray(image.convert("RGB").resize((16, 16), Image.Resampling.BOX), dtype=np.float32)
    return np.where(grey[:, 1:] > grey[:, :-1], 1.0, -1.0).ravel().astype(np.float32), square
