"""Draw many pictures in one figure with a single pair of axes; axes for each picture take twenty times as long."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

CELL = 0.5
"""Inches from one picture to the next."""
_SIDE = 0.44
"""Inches of a picture's longer side."""


class Sheet:
    """An empty sheet for pictures and words; places are inches from its upper left corner.

    Args:
        width: of the sheet, in inches.
        height: likewise.
    """

    def __init__(self, width: float, height: float) -> None:
        self.figure = Figure(figsize=(width, height), dpi=120)
        self._axes = self.figure.add_axes((0, 0, 1, 1))
        self._axes.set(xlim=(0, width), ylim=(height, 0))
        self._axes.set_axis_off()

    def place(
        self, picture: NDArray[np.generic], left: float, top: float, limits: tuple[float, float] | None = None
    ) -> None:
        """Draw a picture in the middle of a square cell.

        Args:
            picture: (H, W), drawn dark where it is large, or (H, W, 3).
            left: left edge of the cell.
            top: upper edge of the cell.
            limits: values (H, W) that are white and black; None = those of the picture.
        """
        height, width = (side * _SIDE / max(picture.shape[:2]) for side in picture.shape[:2])
        x, y = left + (CELL - width) / 2, top + (CELL - height) / 2
        low, high = limits or (None, None)
        # The extent is left, right, bottom, top
        self._axes.imshow(
            picture, cmap="gray_r" if picture.ndim == 2 else None, vmin=low, vmax=high, aspect="auto",
            extent=(x, x + width, y + height, y),
        )  # fmt: skip

    def write(self, text: str, x: float, y: float, **how: Any) -> None:
        """Write a small text.

        Args:
            text: the text.
            x: place from the left.
            y: place from above, of the middle of the line.
            how: settings of matplotlib's text.
        """
        self._axes.text(x, y, text, va="center", fontsize=7, **how)
