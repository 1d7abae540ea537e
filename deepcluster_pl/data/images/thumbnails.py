"""Thumbnails of pictures, and the near-duplicates among them."""

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
_MAX_BITS_APART, _MAX_LEVELS_APART, _MIN_CORRELATION = 6, 8.0, 0.98
_CROPS = (
    (0.0, 0.0, 1.0, 1.0),
    *((cut, cut, 1 - cut, 1 - cut) for cut in (0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1)),
    *(side for cut in (0.03, 0.06, 0.09, 0.12) for side in (
        (cut, 0.0, 1.0, 1.0), (0.0, cut, 1.0, 1.0), (0.0, 0.0, 1 - cut, 1.0), (0.0, 0.0, 1.0, 1 - cut),
    )),
)  # fmt: skip
"""Parts that are compared: the whole, the middle, all but a strip at one edge; as left, top, right, bottom."""
_ROWS_AT_ONCE = 512


def make_thumbnail(rgb: RGB) -> bytes:
    """Encode a picture (H, W, 3) as a JPEG of at most 128 pixels a side, without the file's metadata."""
    image = Image.fromarray(rgb)
    image.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY, optimize=True)
    return file.getvalue()


def near_duplicates(thumbnails: Sequence[bytes]) -> list[list[int]]:
    """Group pictures that show the same, such as copies in other sizes.

    Two are near-duplicates where the differences of neighboring pixels have the same sign in all but six places of an
    8 x 8 grid (the difference hash), and their squares of 16 x 16 pixels agree. Squares agree where they differ by less
    than eight levels of 255 on average and correlate above .98; without that, any two nearly white pages would be
    near-duplicates. The whole of one is compared with the whole of the other, and with what is left of it where its
    edges are cut: up to a tenth of all, or an eighth of one.

    Args:
        thumbnails: JPEGs of `make_thumbnail`.

    Returns:
        Positions of the members of each group that has at least two.
    """
    if not thumbnails:
        return []
    signs, squares = (np.stack(parts) for parts in zip(*(_outline(thumbnail) for thumbnail in thumbnails), strict=True))
    n, n_crops, n_bits = signs.shape
    group = np.arange(n)
    for start in range(0, n, _ROWS_AT_ONCE):
        wholes = signs[start : start + _ROWS_AT_ONCE, 0]
        for crop in range(n_crops):
            # One product compares all hashes: of signs +1 and -1 it is the agreements less the disagreements.
            agreements = wholes @ signs[:, crop].T
            rows, others = np.nonzero(agreements >= n_bits - 2 * _MAX_BITS_APART)
            apart = group[rows + start] != group[others]
            # Only pairs of similar hashes in different groups are compared by their pixels; those that agree merge.
            for i, j in zip((rows[apart] + start).tolist(), others[apart].tolist(), strict=True):
                if group[i] != group[j] and _squares_agree(squares[i, 0], squares[j, crop]):
                    group[group == group[j]] = group[i]
    return [np.flatnonzero(group == k).tolist() for k in np.unique(group) if (group == k).sum() > 1]


def _squares_agree(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> bool:
    """Return whether two squares (16, 16, 3) are of one picture."""
    x, y = a.astype(np.float32), b.astype(np.float32)
    if float(np.abs(x - y).mean()) >= _MAX_LEVELS_APART:
        return False
    deviations = float(x.std() * y.std())
    covariance = float(((x - x.mean()) * (y - y.mean())).mean())
    return covariance > _MIN_CORRELATION * deviations if deviations > 0 else bool((x == y).all())


def _outline(thumbnail: bytes) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return the signs (P, 64) of differences along rows, and the squares (P, 16, 16, 3), of each of P crops."""
    with Image.open(io.BytesIO(thumbnail), formats=["JPEG"]) as image:
        if max(image.size) > SIDE:
            raise UserError(f"a thumbnail of the cache has {image.width} x {image.height} pixels; delete cache_dir")
        rgb, gray = image.convert("RGB"), image.convert("L")
    lines, squares = [], []
    for left, top, right, bottom in _CROPS:
        box = (left * rgb.width, top * rgb.height, right * rgb.width, bottom * rgb.height)
        lines.append(np.asarray(gray.resize((_HASH_SIDE + 1, _HASH_SIDE), Image.Resampling.BOX, box)))
        squares.append(np.asarray(rgb.resize((_SQUARE_SIDE, _SQUARE_SIDE), Image.Resampling.BOX, box)))
    grid = np.stack(lines)
    signs = np.where(grid[:, :, 1:] > grid[:, :, :-1], np.float32(1), np.float32(-1))
    return signs.reshape(len(signs), -1), np.stack(squares)
