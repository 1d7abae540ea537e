"""Samples that are images as small pictures inside the page."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deepcluster_pl.utils.image_layout import as_picture

_SIDE = 96


def data_uri(image: NDArray[Any]) -> str:
    """A sample (H, W), (H, W, C) or (C, H, W) as a picture of at most 96 pixels a side; values are cut to 0 … 1.

    Bytes are taken as they are. Small pictures are PNG, exact; larger ones are made smaller and become JPEG.
    """
    picture = as_picture(image)
    if picture.dtype != np.uint8:
        picture = (np.clip(np.nan_to_num(picture), 0, 1) * 255).round().astype(np.uint8)
    made = Image.fromarray(picture)
    kind = "PNG" if max(made.size) <= _SIDE else "JPEG"
    made.thumbnail((_SIDE, _SIDE))
    file = io.BytesIO()
    made.save(file, kind, **({"optimize": True} if kind == "PNG" else {"quality": 80}))
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


def jpeg_uri(content: bytes) -> str:
    """A JPEG that is one already."""
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"
