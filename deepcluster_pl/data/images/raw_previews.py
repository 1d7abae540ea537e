"""Open the preview that a camera puts into its RAW file, by LibRaw where the extra `raw` is installed."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import PurePath
from typing import BinaryIO

from PIL import ExifTags, Image

from deepcluster_pl.data.images.opening import UnreadableImageError, open_picture

RAW_SUFFIXES = frozenset((
    ".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".iiq", ".kdc", ".mef", ".mos", ".mrw",
    ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f",
))  # fmt: skip
"""A RAW file is known by its name: many begin as a TIFF does, and are none."""
_INSTALL = "pip install 'deepcluster_pl[raw]'"
_ORIENTATIONS = {3: 3, 5: 8, 6: 6}
"""EXIF's number for each turn of LibRaw."""


def is_raw(name: str) -> bool:
    """Return whether a name ends as those of RAW files do."""
    return PurePath(name).suffix.lower() in RAW_SUFFIXES


@cache
def reads_raw() -> bool:
    """Return whether the extra `raw` is installed."""
    return find_spec("rawpy") is not None


def raw_hint(suffixes: Iterable[str]) -> str:
    """Return what to install to read RAW files, to follow a count of files; empty where there is nothing to say.

    Args:
        suffixes: of files that are not read.
    """
    wanted = not reads_raw() and any(suffix.lower() in RAW_SUFFIXES for suffix in suffixes)
    return f"; {_INSTALL} reads the previews in RAW files" if wanted else ""


def open_preview(path: str | os.PathLike[str], file: BinaryIO, max_megapixels: float) -> Image.Image:
    """Return the largest preview of a RAW file, not decoded yet where it is a JPEG.

    Args:
        path: the file.
        file: the same file, open.
        max_megapixels: see `open_picture`.

    Raises:
        UnreadableImageError: no preview can be read, or it is too large.
    """
    if not reads_raw():
        raise UnreadableImageError(f"a RAW file; {_INSTALL} reads its preview")
    import rawpy

    try:
        # LibRaw takes names in UTF-8 alone
        os.fspath(path).encode("utf-8")
        source: str | BinaryIO = os.fspath(path)
    except UnicodeEncodeError:
        source = file
    try:
        with rawpy.imread(source) as raw:
            preview, turn = raw.extract_thumb(), _ORIENTATIONS.get(raw.sizes.flip, 1)
    except rawpy.LibRawError as error:
        reason = error.args[0] if error.args else ""
        text = reason.decode("ascii", "replace") if isinstance(reason, bytes) else str(reason)
        raise UnreadableImageError(f"a RAW file without a preview that can be read: {text}") from error
    if isinstance(preview.data, bytes):
        if not preview.data.startswith(b"\xff\xd8\xff"):
            raise UnreadableImageError("a RAW file whose preview is no JPEG")
        return open_picture(io.BytesIO(preview.data), max_megapixels)
    image = Image.fromarray(preview.data)
    image.getexif()[ExifTags.Base.Orientation] = turn
    return image


def read_raw_exif(file: BinaryIO) -> Image.Exif | None:
    """Return the metadata of a RAW file that is built as a TIFF is; None where it is not, or is damaged."""
    file.seek(0)
    if file.read(4) not in (b"II*\0", b"MM\0*"):
        return None
    file.seek(0)
    exif = Image.Exif()
    try:
        exif.load_from_fp(file)
    except Exception:  # a damaged block of metadata can make its reader fail in any way
        return None
    return exif
