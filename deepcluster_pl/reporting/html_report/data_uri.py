"""Embed pictures in a page as data URIs."""

from __future__ import annotations

import base64
import io
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from deepcluster_pl.reporting.pixels import picture_bytes

_SIDE = 96


def image_uri(image: NDArray[Any]) -> str:
    """Return the data URI of a sample (H, W), (H, W, C) or (C, H, W), at most 96 pixels a side.

    Small pictures are exact PNGs; larger ones are shrunk and become JPEGs.

    >>> import numpy as np
    >>> image_uri(np.zeros((4, 4)))[:22], image_uri(np.zeros((97, 4)))[:23]
    ('data:image/png;base64,', 'data:image/jpeg;base64,')
    """
    picture = Image.fromarray(picture_bytes(image))
    kind = "PNG" if max(picture.size) <= _SIDE else "JPEG"
    picture.thumbnail((_SIDE, _SIDE))
    file = io.BytesIO()
    picture.save(file, kind, **({"optimize": True} if kind == "PNG" else {"quality": 80}))
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


def jpeg_uri(content: bytes) -> str:
    """Return the data URI of a JPEG file's content."""
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"
