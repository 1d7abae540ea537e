"""Random views of a picture: a part of it, perhaps mirrored, in other light, that shows the same thing."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageEnhance

from deepcluster_pl.data.images.descriptors.planes import RGB

_AREA = (0.4, 1.0)
_STRETCH = 0.15
_LIGHT = (0.7, 1.3)


def random_view(rgb: RGB, smallest: int, generator: np.random.Generator) -> RGB:
    """Draw a distorted copy of a picture.

    The copy shows 40 to 100 % of the area, scaled to the picture's longer side. One side of that part is up to 15 %
    longer, the other as much shorter. Half of the copies are mirrored. Brightness, contrast and saturation change by
    up to 30 %. The content of a picture survives this, so a method may learn to look at nothing else.

    Args:
        rgb: bytes (H, W, 3).
        smallest: least length of the copy's shorter side.
        generator: source of the random amounts.

    Returns:
        Bytes (H', W', 3).
    """
    height, width = rgb.shape[:2]
    # The part: its size, its proportions, its place.
    side = np.sqrt(generator.uniform(*_AREA))
    stretch = np.exp(generator.uniform(-_STRETCH, _STRETCH))
    rows = min(height, max(1, round(height * side * stretch)))
    columns = min(width, max(1, round(width * side / stretch)))
    top, left = generator.integers(height - rows + 1), generator.integers(width - columns + 1)
    part = rgb[top : top + rows, left : left + columns]
    if generator.random() < 0.5:
        part = part[:, ::-1]
    scale = max(height, width) / max(rows, columns)
    size = max(smallest, round(columns * scale)), max(smallest, round(rows * scale))
    image = Image.fromarray(np.ascontiguousarray(part)).resize(size, Image.Resampling.BILINEAR)
    # The light comes last, on the few pixels that are left.
    for light in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = light(image).enhance(generator.uniform(*_LIGHT))
    return np.asarray(image)


def view_generator(digest: bytes, copy: int) -> np.random.Generator:
    """Return the generator of one copy of a picture; the file's content decides it, not its name or the run's seed.

    Args:
        digest: SHA-256 of the file's bytes.
        copy: number of the copy, from 0.

    Returns:
        A generator in the same state on every call.
    """
    return np.random.default_rng([int.from_bytes(digest[:8], "big"), copy])
