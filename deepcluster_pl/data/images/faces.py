"""Faces as features of a picture: how many there are, and how sure the likeliest one is."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.images.descriptors import RGB
from deepcluster_pl.data.images.face_weights import HASHES
from deepcluster_pl.data.images.features import Features
from deepcluster_pl.data.images.objects import pad_to_square

SURELY_A_FACE = 0.9
"""Boxes count as faces from this probability on."""
_SIDE, _SMALLEST = 384, 24
"""Pixels along the square that the networks see, and along the smallest face in it."""


class Faces(Features):
    """Two numbers of float32: the probability of the likeliest face, and the number of faces."""

    def __init__(self) -> None:
        self.side = _SIDE
        self.shape = (2,)
        self.dtype = np.dtype(np.float32)

    @cached_property
    def _network(self) -> Any:
        """The networks; torch is imported here, since processes that decode do not need it."""
        from deepcluster_pl.data.images.face_network import FaceNetwork

        return FaceNetwork(_SMALLEST)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the networks."""
        return {name: value for name, value in vars(self).items() if name != "_network"}

    def check(self) -> None:
        """Raise `UserError` where the extra is missing or its weights are not those that were published."""
        _ = self._network

    def extract(self, rgb: RGB) -> NDArray[np.uint8]:
        """Return the picture on a square (384, 384, 3) of bytes; the networks see many of them at once."""
        return pad_to_square(rgb, _SIDE)

    def to_samples(self, extracted: NDArray[Any]) -> NDArray[np.float32]:
        """Return rows (B, 2) of squares (B, 384, 384, 3): the largest probability, and the number of faces."""
        rows = [
            [float(p.max()) if len(p) else 0.0, float((p >= SURELY_A_FACE).sum())]
            for start in range(0, len(extracted), 8)
            for p, _ in self._network.find(extracted[start : start + 8])
        ]
        return np.array(rows, dtype=np.float32).reshape(-1, 2)

    def recipe(self) -> dict[str, Any]:
        """Return the sides, the limit, and hashes of the weights."""
        return {"features": "faces", "side": _SIDE, "smallest": _SMALLEST, "limit": SURELY_A_FACE, **HASHES}
