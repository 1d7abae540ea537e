"""Find copies of one picture: candidates by their thumbnails, then every place of them by their files."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray
from PIL import Image

from deepcluster_pl.data.images.same_picture import Placement, are_copies, sharpness
from deepcluster_pl.data.images.thumbnails import CROPS, outlines, squares_agree

MOST_PAIRS, MOST_PICTURES = 2000, 1500
"""Pairs that are compared by their files, the most similar first, and pictures that are read for that."""
_MAX_BITS_APART, _MAX_LEVELS_APART, _MIN_CORRELATION = 10, 24.0, 0.9
_SURE_LEVELS_APART, _SURE_CORRELATION, _SURE_DETAILS = 8.0, 0.98, 0.9
"""Within these limits thumbnails alone make two pictures look alike."""
_MOST_PARTNERS = 400
"""Similar pictures of one that are looked at, so that thousands of blank pages take bounded time."""
_DETAIL_SIDE = 64
_ROWS_AT_ONCE = 64
Load = Callable[[Sequence[int]], Mapping[int, NDArray[np.uint8]]]


class CopyGroup(NamedTuple):
    """Pictures that belong together.

    Attributes:
        members: positions, the best first: most pixels, then the sharpest.
        is_certain: whether their files were compared; if not, they only look alike.
    """

    members: list[int]
    is_certain: bool


class _Pair(NamedTuple):
    """Two pictures whose thumbnails are similar: one shows the part `crop` of the other, by number in `CROPS`."""

    details: float
    whole: int
    part: int
    crop: int
    is_sure: bool


def find_copies(thumbnails: Sequence[bytes], sizes: Sequence[tuple[int, int]], load: Load) -> list[CopyGroup]:
    """Group the copies among pictures.

    Args:
        thumbnails: JPEGs of `make_thumbnail`.
        sizes: width and height of each picture, in pixels.
        load: returns gray pictures (H, W) by position; those that can no longer be read are missing.

    Returns:
        Groups of at least two: certain ones, and of pictures that could not be compared those that look alike.
    """
    pairs = _similar_pairs(thumbnails)
    # The most similar pairs are compared, as far as they and their pictures are within the limits
    wanted: dict[int, None] = {}
    for pair in pairs[:MOST_PAIRS]:
        if len(wanted) < MOST_PICTURES:
            wanted |= dict.fromkeys((pair.whole, pair.part))
    pictures = load(list(wanted)) if wanted else {}
    certain, alike = list(range(len(thumbnails))), list(range(len(thumbnails)))
    for number, pair in enumerate(pairs):
        if number < MOST_PAIRS and pair.whole in pictures and pair.part in pictures:
            if certain[pair.whole] != certain[pair.part]:
                left, top, right, bottom = CROPS[pair.crop]
                start = Placement(left, top, right - left, bottom - top)
                if are_copies(pictures[pair.whole], pictures[pair.part], start):
                    _merge(certain, pair)
        elif pair.is_sure:
            _merge(alike, pair)
    sharp = {i: sharpness(picture) for i, picture in pictures.items()}

    def best_first(members: Sequence[int]) -> list[int]:
        return sorted(members, key=lambda i: (-sizes[i][0] * sizes[i][1], -sharp.get(i, 0.0), i))

    found = [CopyGroup(best_first(members), True) for members in _groups(certain)]
    return found + [CopyGroup(best_first(members), False) for members in _groups(alike)]


def _similar_pairs(thumbnails: Sequence[bytes]) -> list[_Pair]:
    """Return the pairs with similar thumbnails, each with the crop that fits best, the most similar first."""
    # Pictures with equal thumbnails are paired with the first of them, which stands for all
    first: dict[bytes, int] = {}
    equal = [_Pair(1.0, first[t], i, 0, True) for i, t in enumerate(thumbnails) if first.setdefault(t, i) != i]
    chosen = list(first.values())
    if len(chosen) < 2:
        return equal
    signs, squares = outlines([thumbnails[i] for i in chosen])
    best: dict[tuple[int, int], _Pair] = {}

    @lru_cache(maxsize=8000)
    def details(i: int, crop: int) -> NDArray[np.float32]:
        return _details(thumbnails[chosen[i]], crop)

    def agree(part: int, whole: int, crop: int, levels: float, correlation: float) -> bool:
        return squares_agree(squares[part, 0], squares[whole, crop], levels, correlation)

    for part, whole, crop in _similar_outlines(signs):
        if not agree(part, whole, crop, _MAX_LEVELS_APART, _MIN_CORRELATION):
            continue
        own = float(details(whole, crop) @ details(part, 0))
        key = (min(part, whole), max(part, whole))
        if key not in best or own > best[key].details:
            is_sure = own > _SURE_DETAILS and agree(part, whole, crop, _SURE_LEVELS_APART, _SURE_CORRELATION)
            best[key] = _Pair(own, chosen[whole], chosen[part], crop, is_sure)
    return sorted([*equal, *best.values()], key=lambda pair: (-pair.details, pair.whole, pair.part))


def _similar_outlines(signs: NDArray[np.float32]) -> Iterator[tuple[int, int, int]]:
    """Yield pictures whose difference hash is near that of a crop of another: part, whole, crop.

    Args:
        signs: (N, P, 64), +1 or -1, of P crops of each picture.
    """
    n, n_crops, n_bits = signs.shape
    for start in range(0, n, _ROWS_AT_ONCE):
        parts = signs[start : start + _ROWS_AT_ONCE, 0]
        # Bits that differ, for each crop of every picture: of signs, a product is agreements less disagreements
        apart = np.stack([(n_bits - parts @ signs[:, crop].T) / 2 for crop in range(n_crops)])
        least = apart.min(axis=0)
        least[np.arange(len(parts)), np.arange(start, start + len(parts))] = n_bits
        for row, bits in enumerate(least):
            near = np.argsort(bits, kind="stable")[:_MOST_PARTNERS]
            for whole in near[bits[near] <= _MAX_BITS_APART].tolist():
                # Crops that fit nearly as well as the best one are looked at too
                limit = min(bits[whole] + 1, _MAX_BITS_APART)
                for crop in np.flatnonzero(apart[:, row, whole] <= limit).tolist():
                    yield start + row, whole, crop


def _details(thumbnail: bytes, crop: int) -> NDArray[np.float32]:
    """Return the fine details (64²,) of a part of a thumbnail, with length 1."""
    with Image.open(io.BytesIO(thumbnail), formats=["JPEG"]) as image:
        gray = image.convert("L")
    left, top, right, bottom = CROPS[crop]
    box = (left * gray.width, top * gray.height, right * gray.width, bottom * gray.height)
    small = gray.resize((_DETAIL_SIDE, _DETAIL_SIDE), Image.Resampling.BOX, box)
    x = np.asarray(small, dtype=np.float32)
    x = x - scipy.ndimage.gaussian_filter(x, 3.0)
    length = float(np.linalg.norm(x))
    return np.asarray(x / length if length > 0 else x).ravel()


def _merge(group: list[int], pair: _Pair) -> None:
    """Put the groups of both pictures together."""
    kept, other = group[pair.whole], group[pair.part]
    group[:] = [kept if number == other else number for number in group]


def _groups(group: Sequence[int]) -> list[list[int]]:
    """Return the members of each group that has at least two."""
    members: dict[int, list[int]] = {}
    for i, number in enumerate(group):
        members.setdefault(number, []).append(i)
    return [some for some in members.values() if len(some) > 1]
