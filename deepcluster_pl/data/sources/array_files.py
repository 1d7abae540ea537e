"""Read the samples of an array's file, and labels where it has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from deepcluster_pl.data.sources.numpy_files import map_npy, read_npz

ARRAY_SUFFIXES = (".npy", ".npz")


def read_arrays(path: Path, key: str | None) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return samples and labels, or None."""
    if path.suffix.lower() == ".npy":
        return map_npy(path), None
    arrays = read_npz(path, ["x", "y"])
    return arrays["x"], arrays.get("y")
