"""Turn a sample that is an image into the bytes of a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.utils.image_layout import as_picture


def picture_bytes(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a picture (H, W) or (H, W, 3) of a sample (H, W), (H, W, C) or (C, H, W).

    Bytes are taken as they are; other values are clipped to 0 and 1, and NaN counts as 0.

    >>> picture_bytes(np.array([[0.0, 0.5], [1.0, 9.0]])).tolist()
    [[0, 128], [255, 255]]
    """
    picture = as_picture(image)
    if picture.dtype != np.uint8:
        picture = (np.clip(np.nan_to_num(picture), 0, 1) * 255).round()
    return picture.astype(np.uint8, copy=False)
