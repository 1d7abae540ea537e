"""Copies of a picture that show the same thing: a part of it, perhaps mirrored, in other light."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageEnhance

from deepcluster_pl.data.images.descriptors.planes import RGB

_AREA = (0.4, 1.0)
_STRETCH = 0.15
_LIGHT = (0.7, 1.3)


def distorted(rgb: RGB, smallest: int, generator: np.random.Generator) -> RGB:
    """A random part of a picture (H, W, 3), scaled to the picture's longer side, in other light.

    The part is 40 to 100 % of the area, its sides in up to 15 % another proportion; it is mirrored every other time;
    brightness, contrast and saturation change by up to 30 %. What a picture shows survives this, so that a method may
    learn to look at nothing else.

    Args:
        rgb: bytes.
        smallest: the shorter side of the copy is at least this.
        generator: where the amounts are drawn from.
    """
    height, width = rgb.shape[:2]
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
    for light in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = light(image).enhance(generator.uniform(*_LIGHT))
    return np.asarray(image)


def generator_of(digest: bytes, copy: int) -> np.random.Generator:
    """The generator of a picture's copy: decided by what its file holds, not by its name, place or the run's seed."""
    return np.random.default_rng([int.from_bytes(digest[:8], "big"), copy])
