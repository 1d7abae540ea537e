"""Thumbnails of pictures, and outlines of them by which similar ones are found quickly."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deepcluster_pl.data.images.descriptors.planes import RGB
from deepcluster_pl.errors import UserError

SIDE = 128
"""Pixels of a thumbnail's longer side."""
_QUALITY = 72
_HASH_SIDE, _SQUARE_SIDE = 8, 16
CROPS = (
    (0.0, 0.0, 1.0, 1.0),
    *((cut, cut, 1 - cut, 1 - cut) for cut in (0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1)),
    *(side for cut in (0.02, 0.04, 0.06, 0.08, 0.1, 0.12) for side in (
        (cut, 0.0, 1.0, 1.0), (0.0, cut, 1.0, 1.0), (0.0, 0.0, 1 - cut, 1.0), (0.0, 0.0, 1.0, 1 - cut),
    )),
)  # fmt: skip
"""Parts that are compared: the whole, the middle, all but a strip at one edge; as left, top, right, bottom."""


def make_thumbnail(rgb: RGB) -> bytes:
    """Encode a picture (H, W, 3) as a JPEG of at most 128 pixels a side, without the file's metadata."""
    image = Image.fromarray(rgb)
    image.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY, optimize=True)
    return file.getvalue()


def squares_agree(a: NDArray[np.uint8], b: NDArray[np.uint8], max_levels_apart: float, min_correlation: float) -> bool:
    """Return whether two squares (16, 16, 3) may be of one picture.

    Args:
        a: bytes.
        b: bytes.
        max_levels_apart: limit on the mean difference, in levels of 255.
        min_correlation: limit on their correlation.
    """
    x, y = a.astype(np.float32), b.astype(np.float32)
    if float(np.abs(x - y).mean()) >= max_levels_apart:
        return False
    deviations = float(x.std() * y.std())
    covariance = float(((x - x.mean()) * (y - y.mean())).mean())
    return covariance > min_correlation * deviations if deviations > 0 else bool((x == y).all())


def outlines(thumbnails: Sequence[bytes]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return signs (N, P, 64) of differences along rows, and squares (N, P, 16, 16, 3), of P crops of each picture."""
    signs, squares = zip(*(_outline(thumbnail) for thumbnail in thumbnails), strict=True)
    return np.stack(signs), np.stack(squares)


def _outline(thumbnail: bytes) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return the signs (P, 64) of differences along rows, and the squares (P, 16, 16, 3), of each of P crops."""
    with Image.open(io.BytesIO(thumbnail), formats=["JPEG"]) as image:
        if max(image.size) > SIDE:
            raise UserError(f"a thumbnail of the cache has {image.width} x {image.height} pixels; delete cache_dir")
        rgb, gray = image.convert("RGB"), image.convert("L")
    lines, squares = [], []
    for left, top, right, bottom in CROPS:
        box = (left * rgb.width, top * rgb.height, right * rgb.width, bottom * rgb.height)
        lines.append(np.asarray(gray.resize((_HASH_SIDE + 1, _HASH_SIDE), Image.Resampling.BOX, box)))
        squares.append(np.asarray(rgb.resize((_SQUARE_SIDE, _SQUARE_SIDE), Image.Resampling.BOX, box)))
    grid = np.stack(lines)
    signs = np.where(grid[:, :, 1:] > grid[:, :, :-1], np.float32(1), np.float32(-1))
    return signs.reshape(len(signs), -1), np.stack(squares)
