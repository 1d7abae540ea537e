"""Gray pictures of given files, decoded once more in processes of their own, to be compared place by place."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deepcluster_pl.data.images.descriptors import RGB
from deepcluster_pl.data.images.extraction import ExtractedImage, ExtractionJob, extract_all
from deepcluster_pl.data.images.features import Features
from deepcluster_pl.data.images.same_picture import COMPARED_SIDE


class _GrayPicture(Features):
    """A picture's brightness (H, W), its longer side as long as pictures are compared at."""

    def __init__(self) -> None:
        self.side = COMPARED_SIDE
        self.shape = (COMPARED_SIDE, COMPARED_SIDE)
        self.dtype = np.dtype(np.uint8)

    def extract(self, rgb: RGB) -> NDArray[np.uint8]:
        """Return the brightness (H, W)."""
        return np.asarray(Image.fromarray(rgb).convert("L"))

    def recipe(self) -> dict[str, Any]:
        """Return the side; nothing of it is cached."""
        return {"features": "gray", "side": self.side}


def read_gray(
    root: Path, sizes: Mapping[str, tuple[int, int]], max_megapixels: float, processes: int
) -> dict[str, NDArray[np.uint8]]:
    """Decode pictures to gray; a small one keeps its size, and one that cannot be read is missing.

    Args:
        root: folder that names begin at.
        sizes: width and height of each picture, by its name.
        max_megapixels: limit above which pictures are not decoded.
        processes: number of processes that decode; 0 decodes in this one.
    """
    names: Sequence[str] = list(sizes)
    job = ExtractionJob(os.fspath(root), _GrayPicture(), 0, max_megapixels)
    found = {}
    for name, outcome in extract_all(job, names, min(processes, len(names))):
        if isinstance(outcome, ExtractedImage):
            gray = outcome.extracted[0]
            # Decoding made small pictures larger
            scale = max(sizes[name]) / max(gray.shape)
            if scale < 1:
                size = max(8, round(gray.shape[1] * scale)), max(8, round(gray.shape[0] * scale))
                gray = np.asarray(Image.fromarray(gray).resize(size, Image.Resampling.BICUBIC))
            found[name] = gray
    return found
