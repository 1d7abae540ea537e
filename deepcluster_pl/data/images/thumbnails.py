"""Small pictures to look at, and which of them show the same."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deepcluster_pl.data.images.descriptors.planes import RGB

SIDE = 128
"""Pixels of a thumbnail's longer side."""
_QUALITY, _HASH = 72, 8
_BITS_APART, _LEVELS_APART, _CORRELATION = 6, 8.0, 0.98
_PARTS = (
    (0.0, 0.0, 1.0, 1.0),
    *((cut, cut, 1 - cut, 1 - cut) for cut in (0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1)),
    *(side for cut in (0.03, 0.06, 0.09, 0.12) for side in (
        (cut, 0.0, 1.0, 1.0), (0.0, cut, 1.0, 1.0), (0.0, 0.0, 1 - cut, 1.0), (0.0, 0.0, 1.0, 1 - cut),
    )),
)  # fmt: skip
"""What is looked at of a picture: the whole, its middle, all but a strip at one edge; left, top, right, bottom."""
_ROWS_AT_ONCE = 512


def thumbnail_of(rgb: RGB) -> bytes:
    """A picture (H, W, 3) as a JPEG of at most 128 pixels a side; nothing of the file's metadata is in it."""
    image = Image.fromarray(rgb)
    image.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY, optimize=True)
    return file.getvalue()


def near_duplicates(thumbnails: Sequence[bytes]) -> list[list[int]]:
    """Groups of pictures that show the same, such as copies in other sizes, each with at least two, by position.

    Two are alike where the differences of neighboring pixels have the same sign in all but six places of an 8 x 8 grid
    (the difference hash), and their squares of 16 x 16 differ by less than eight levels of 255 on average and
    correlate above .98, without which any two nearly white pages would be copies. The whole of one is compared with the
    whole of the other, and with what is left of it where its edges are cut: up to a tenth of all, or an eighth of one.
    """
    if not thumbnails:
        return []
    bits, levels = (np.stack(parts) for parts in zip(*(_outlines(thumbnail) for thumbnail in thumbnails), strict=True))
    n, n_parts, width = bits.shape
    group = np.arange(n)
    for start in range(0, n, _ROWS_AT_ONCE):
        some = bits[start : start + _ROWS_AT_ONCE, 0]
        for part in range(n_parts):
            shared = some @ bits[:, part].T  # of signs +1 and -1: agreements less disagreements
            rows, others = np.nonzero(shared >= width - 2 * _BITS_APART)
            new = group[rows + start] != group[others]
            for i, j in zip((rows[new] + start).tolist(), others[new].tolist(), strict=True):
                if group[i] != group[j] and _same(levels[i, 0], levels[j, part]):
                    group[group == group[j]] = group[i]
    return [np.flatnonzero(group == k).tolist() for k in np.unique(group) if (group == k).sum() > 1]


def _same(one_square: NDArray[np.uint8], other_square: NDArray[np.uint8]) -> bool:
    """Whether two squares (16, 16, 3) are of one picture."""
    one, other = one_square.astype(np.float32), other_square.astype(np.float32)
    if float(np.abs(one - other).mean()) >= _LEVELS_APART:
        return False
    deviations = float(one.std() * other.std())
    covariance = float(((one - one.mean()) * (other - other.mean())).mean())
    return covariance > _CORRELATION * deviations if deviations > 0 else bool((one == other).all())


def _outlines(thumbnail: bytes) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Signs (P, 64) of differences along rows of the gray picture, and small squares (P, 16, 16, 3), of each part."""
    with Image.open(io.BytesIO(thumbnail)) as image:
        rgb, gray = image.convert("RGB"), image.convert("L")
    lines, squares = [], []
    for left, top, right, bottom in _PARTS:
        box = (left * rgb.width, top * rgb.height, right * rgb.width, bottom * rgb.height)
        lines.append(np.asarray(gray.resize((_HASH + 1, _HASH), Image.Resampling.BOX, box)))
        squares.append(np.asarray(rgb.resize((16, 16), Image.Resampling.BOX, box)))
    grid = np.stack(lines)
    signs = np.where(grid[:, :, 1:] > grid[:, :, :-1], np.float32(1), np.float32(-1))
    return signs.reshape(len(signs), -1), np.stack(squares)
