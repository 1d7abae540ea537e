"""One color for each cluster, the same in every figure, page and picture."""

from __future__ import annotations

import colorsys

_CHOSEN = (
    "#4477aa", "#ee6677", "#228833", "#ccaa22", "#33a8cc", "#aa3377", "#ee7733", "#009988", "#8866cc", "#997755",
)  # fmt: skip


def palette(n: int) -> list[str]:
    """Return colors that tell n clusters apart on white and on black: ten chosen ones, or as many hues as needed.

    >>> palette(2), len(set(palette(200)))
    (['#4477aa', '#ee6677'], 200)
    """
    if n <= len(_CHOSEN):
        return list(_CHOSEN[:n])
    colors = []
    for k in range(n):
        # Steps of the golden ratio around the circle of hues never repeat; lightness tells neighbors apart
        red, green, blue = colorsys.hls_to_rgb(k * 0.61803398875 % 1, (0.42, 0.52, 0.62)[k % 3], 0.55)
        colors.append(f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}")
    return colors
