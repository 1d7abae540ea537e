"""Opening of a picture: pictures only, and none whose header asks for more memory than a fixed limit."""

from __future__ import annotations

import io
import os
import stat
from typing import BinaryIO

from PIL import Image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
"""Pillow's names of the formats that are read. No decoder of another format ever runs."""
MAX_MEGAPIXELS = 150.0
"""Limit on the pixels in a header where no other is given."""
BYTES_PER_PIXEL = 16
"""A picture is refused if decoding takes more than this times the limit on pixels."""
MAX_METADATA_BYTES = 4 * 2**20
"""Larger blocks of EXIF and color profiles are not read."""
_SPARE_BYTES = 16 * 2**20
_TIFF_TILE_WIDTH, _TIFF_TILE_LENGTH, _TIFF_BITS, _TIFF_SAMPLES = 322, 323, 258, 277
_WHOLE_FILE_FORMATS = ("WEBP", "AVIF", "HEIF")
_METADATA = ("exif", "icc_profile", "xmp", "XML:com.adobe.xmp", "Raw profile type exif")


class UnreadableImageError(Exception):
    """The reason, in one line, why a file is no picture."""


class MeteredFile(io.BufferedReader):
    """File whose header cannot make its reader take more than twice the file, however often it points at one place.

    Args:
        path: the file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise UnreadableImageError("a pipe, a socket or a device, no file")  # opening it may never return
        super().__init__(io.FileIO(path))
        self.n_bytes = os.fstat(self.fileno()).st_size
        self._allowance: int | None = 2 * self.n_bytes + _SPARE_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        """Return at most `size` bytes; raise `UnreadableImageError` once the allowance is used up."""
        rest = max(0, self.n_bytes - self.tell())
        size = rest if size is None or size < 0 else min(size, rest)
        if self._allowance is not None:
            self._allowance -= size
            if self._allowance < 0:
                raise UnreadableImageError("damaged: its header asks for more bytes than the file has")
        return super().read(size)

    def end_header(self) -> None:
        """Lift the allowance: the size of the pixels was checked."""
        self._allowance = None


def open_picture(file: BinaryIO, max_megapixels: float) -> Image.Image:
    """Read the header of a picture, and refuse one that is too large before anything is decoded.

    Args:
        file: the open file.
        max_megapixels: limit on the pixels; `BYTES_PER_PIXEL` times as many bytes are the limit on memory.

    Returns:
        The picture at its first frame, not decoded yet, without metadata of absurd size.

    Raises:
        UnreadableImageError: the picture is too large.
        PIL.UnidentifiedImageError: the file is of no format in `FORMATS`.
    """
    Image.init()  # registers the formats
    image = Image.open(file, formats=[name for name in FORMATS if name in Image.OPEN])
    try:
        _check_size(image, file, max_megapixels)
    except BaseException:
        image.close()
        raise
    for name in _METADATA:
        if len(image.info.get(name) or "") > MAX_METADATA_BYTES:
            del image.info[name]
    return image


def can_shrink(image: Image.Image) -> bool:
    """Return whether averages of neighboring pixels are meaningful in this mode; of palette numbers they are not."""
    return image.mode in ("RGB", "L", "CMYK", "YCbCr") and "transparency" not in image.info


def bytes_to_decode(image: Image.Image) -> int:
    """Return the bytes that decoding takes at most, as the header has it.

    Args:
        image: an opened picture that is not decoded yet.
    """
    width, height = image.size
    # Pillow stores gray, palette numbers and bits in one byte, 16 bits in two, and all else in four.
    stored = 1 if image.mode in ("1", "L", "P") else 2 if image.mode.startswith("I;16") else 4
    # Three decoders return the whole picture as bytes; a progressive JPEG holds two bytes for each value.
    buffers = 12 if image.format in _WHOLE_FILE_FORMATS else 2 * stored if image.format in ("JPEG", "MPO") else 0
    # All other pictures are copied as RGB at their full size, and the copy is turned.
    copies = 0 if can_shrink(image) else 8
    return width * height * (stored + buffers + copies) + _tile_bytes(image)


def _check_size(image: Image.Image, file: BinaryIO, max_megapixels: float) -> None:
    """Raise `UnreadableImageError` for a picture with more pixels, or more bytes, than the limit."""
    width, height = image.size
    if width * height > max_megapixels * 1e6:
        raise UnreadableImageError(
            f"{width} x {height} pixels are more than {max_megapixels:g} million; data.max_megapixels allows more"
        )
    limit = BYTES_PER_PIXEL * max_megapixels * 1e6
    file_bytes = os.fstat(file.fileno()).st_size if image.format in _WHOLE_FILE_FORMATS else 0
    needed = max(bytes_to_decode(image), file_bytes)
    if needed > limit:
        raise UnreadableImageError(
            f"decoding takes {needed / 1e6:,.0f} MB, more than {limit / 1e6:,.0f} MB; data.max_megapixels allows more"
        )


def _tile_bytes(image: Image.Image) -> int:
    """Return the bytes of one tile of a TIFF, which may be larger than the picture; 0 for other pictures."""
    tags = getattr(image, "tag_v2", None)
    if image.format != "TIFF" or tags is None:
        return 0
    bits = tags.get(_TIFF_BITS, (1,))
    deepest = max(bits) if isinstance(bits, tuple) else int(bits)
    samples = int(tags.get(_TIFF_SAMPLES, 1))
    area = int(tags.get(_TIFF_TILE_WIDTH, 0)) * int(tags.get(_TIFF_TILE_LENGTH, 0))
    return area * samples * deepest // 8
