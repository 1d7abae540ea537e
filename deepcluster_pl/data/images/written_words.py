"""Words in a picture, read by the networks of the extra `words`: PP-OCR, inside the package rapidocr (Apache-2.0)."""

from __future__ import annotations

from functools import cached_property
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.images.descriptors import RGB
from deepcluster_pl.data.images.features import Features
from deepcluster_pl.errors import UserError

_SIDE = 768
"""Longer side of the picture, in pixels, that is read."""
_SURE = 0.6
"""Lines of text count from this probability on."""
_MOST_BYTES = 2048


class WrittenWords(Features):
    """Words as 2,048 bytes of UTF-8, zeros behind them; longer texts are cut. They are read in other processes."""

    files_at_once = 1

    def __init__(self) -> None:
        self.side = _SIDE
        self.shape = (_MOST_BYTES,)
        self.dtype = np.dtype(np.uint8)

    @cached_property
    def _engine(self) -> Any:
        """The reader, of one thread: every process has its own."""
        from rapidocr import RapidOCR

        threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
        return RapidOCR(params={"Global.log_level": "critical", **threads})

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the reader, which each process makes itself."""
        return {name: value for name, value in vars(self).items() if name != "_engine"}

    def check(self) -> None:
        """Raise `UserError` where the extra is missing."""
        if not words_installed():
            raise UserError("data.words=true needs a reader of text; type: pip install 'deepcluster_pl[words]'")

    def extract(self, rgb: RGB) -> NDArray[np.uint8]:
        """Return the words of a picture as bytes (2048,)."""
        found = self._engine(np.ascontiguousarray(rgb[:, :, ::-1]))  # it takes blue first
        lines = zip(found.txts or (), found.scores or (), strict=True)
        return to_bytes(" ".join(text for text, score in lines if score >= _SURE))

    def recipe(self) -> dict[str, Any]:
        """Return the side, the limit, and the version of the reader, which decides its networks."""
        from importlib.metadata import version

        return {"features": "words", "side": _SIDE, "sure": _SURE, "rapidocr": version("rapidocr")}


def words_installed() -> bool:
    """Return whether the extra `words` is there."""
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


def to_bytes(text: str) -> NDArray[np.uint8]:
    """Return a text as bytes (2048,) of UTF-8, white space made single, cut where a character ends.

    >>> to_text(to_bytes("  total \\n 12,50 € "))
    'total 12,50 €'
    """
    encoded = " ".join(text.split()).encode("utf-8", "ignore")[:_MOST_BYTES]
    encoded = encoded.decode("utf-8", "ignore").encode()
    row = np.zeros(_MOST_BYTES, dtype=np.uint8)
    row[: len(encoded)] = np.frombuffer(encoded, dtype=np.uint8)
    return row


def to_text(row: NDArray[np.uint8]) -> str:
    """Return the text in a row of `to_bytes`."""
    return row.tobytes().rstrip(b"\0").decode("utf-8", "ignore")
