"""Draw training images of MNIST for benchmarks on raw pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def draw_digits(root: Path, n: int, generator: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return pixels (n, 784) from 0 to 1 and labels (n,), in the order of the file.

    Args:
        root: folder of MNIST/raw.
        n: number of images.
        generator: draws them.
    """
    raw = root / "MNIST" / "raw"
    pixels = np.frombuffer((raw / "train-images-idx3-ubyte").read_bytes(), np.uint8, offset=16).reshape(-1, 784)
    labels = np.frombuffer((raw / "train-labels-idx1-ubyte").read_bytes(), np.uint8, offset=8)
    rows = np.sort(generator.choice(len(pixels), n, replace=False))
    return (pixels[rows] / 255).astype(np.float32), labels[rows].astype(np.int64)
