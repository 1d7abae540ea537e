"""One color for each cluster, the same in every figure and page."""

from __future__ import annotations

import colorsys

_CHOSEN = (
    "#4477aa", "#ee6677", "#228833", "#ccaa22", "#33a8cc", "#aa3377", "#ee7733", "#009988", "#8866cc", "#997755",
)  # fmt: skip
OUTSIDE = "#8a8a8a"
"""Color of samples in no group. Appended to a palette, it is the color of cluster -1."""
_GOLDEN_STEP = 0.61803398875
_LIGHTNESS = (0.42, 0.52, 0.62)


def palette(n: int) -> list[str]:
    """Return n different colors that are readable on white and on black, as `#rrggbb`.

    Up to ten clusters get chosen colors; more get as many hues as needed.

    >>> palette(2), len(set(palette(200)))
    (['#4477aa', '#ee6677'], 200)
    """
    if n <= len(_CHOSEN):
        return list(_CHOSEN[:n])
    colors = []
    for k in range(n):
        # Steps of the golden ratio around the circle of hues never repeat; lightness tells neighbors apart
        red, green, blue = colorsys.hls_to_rgb(k * _GOLDEN_STEP % 1, _LIGHTNESS[k % 3], 0.55)
        colors.append(f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}")
    return colors
