"""Decoding of one file into an upright, small RGB picture, or one line that says why it is none."""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile, UnidentifiedImageError

from deepcluster_pl.data.images.descriptors.planes import RGB
from deepcluster_pl.data.images.exif import TURNED_ORIENTATIONS, ImageMetadata, read_metadata
from deepcluster_pl.data.images.opening import MeteredFile, UnreadableImageError, can_shrink, open_picture
from deepcluster_pl.data.images.raw_previews import is_raw, open_preview, read_raw_exif
from deepcluster_pl.errors import first_line

Image.MAX_IMAGE_PIXELS = None  # `max_megapixels` is checked before anything is decoded, and Pillow need not warn
ImageFile.LOAD_TRUNCATED_IMAGES = False  # half a picture is not the picture
_ORIENTATION = 0x0112
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_CHUNK_BYTES = 2**20
_STRIP_PIXELS = 2**19
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
"""The turn that each value of EXIF's orientation asks for."""
Box = tuple[int, int, int, int]
"""Left, upper, right and lower edge of a strip, in pixels."""


class DecodedImage(NamedTuple):
    """A picture and its file's metadata.

    Attributes:
        rgb: the first frame (H, W, 3), upright, its longer side as requested.
        digest: SHA-256 of the file's bytes.
        metadata: size, date and place.
    """

    rgb: RGB
    digest: bytes
    metadata: ImageMetadata


def register_heif() -> None:
    """Let Pillow read HEIC where the extra `photos` is installed."""
    try:
        import pillow_heif
    except ImportError:
        return
    pillow_heif.register_heif_opener()


def decode(path: Path, side: int, smallest: int, max_megapixels: float) -> DecodedImage:
    """Read a file by its content, whatever its suffix.

    Args:
        path: the file.
        side: longer side of the result; larger pictures shrink, smaller ones grow.
        smallest: least length of the shorter side; only very long pictures reach it, and they are stretched.
        max_megapixels: limit on the pixels in the header; larger pictures are not decoded.

    Returns:
        The picture with its metadata.

    Raises:
        UnreadableImageError: the file cannot be opened, is no picture, is damaged or too large.
    """
    try:
        before = _state(path)
        with MeteredFile(path) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about broken metadata; the picture is good without them
            try:
                if is_raw(path.name) and not file.peek(3).startswith(b"\xff\xd8\xff"):
                    image = open_preview(path, file, max_megapixels)
                    rgb, metadata = _read(image, file, side, smallest, max_megapixels, read_raw_exif(file))
                else:
                    rgb, metadata = _read(open_picture(file, max_megapixels), file, side, smallest, max_megapixels)
            except UnidentifiedImageError as error:
                raise UnreadableImageError(_guess_format(file)) from error
            digest = _digest(file)
            if _state(path) != before:
                raise UnreadableImageError("it changed while it was read; type the command again")
            return DecodedImage(rgb, digest, metadata)
    except UnreadableImageError:
        raise
    except MemoryError as error:
        raise UnreadableImageError("too large for the memory there is") from error
    except OSError as error:
        raise UnreadableImageError(error.strerror or first_line(error)) from error
    except Exception as error:  # a damaged file can make a decoder fail in any way
        raise UnreadableImageError(f"damaged: {first_line(error)}") from error


def _state(path: Path) -> tuple[int, int, int]:
    """Return inode, size and time of a file, which change when it is written or replaced."""
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def to_upright_rgb(image: Image.Image) -> Image.Image:
    """Convert a picture of any mode to RGB, turned as EXIF asks.

    Transparent pixels are laid over white. 16 bits and floats are scaled rather than clipped.
    """
    image.load()
    # Strips keep the memory for intermediate results small; the whole picture is stored once more, as RGB.
    strip = max(1, _STRIP_PIXELS // image.width)
    boxes = [(0, top, image.width, min(image.height, top + strip)) for top in range(0, image.height, strip)]
    convert = _rgb_converter(image, boxes)
    rgb = Image.new("RGB", image.size)
    for box in boxes:
        rgb.paste(convert(image.crop(box)), box)
    orientation = image.getexif().get(_ORIENTATION)
    if orientation in _TURNS:
        rgb = rgb.transpose(_TURNS[orientation])
    return rgb


def _rgb_converter(image: Image.Image, boxes: list[Box]) -> Callable[[Image.Image], Image.Image]:
    """Return the function that converts a strip of a picture to RGB.

    Args:
        image: the whole picture, whose mode and range of values decide.
        boxes: its strips.
    """
    if image.mode.startswith("I") or image.mode == "F":
        low, white = _range_of_gray(image, boxes)
        return lambda strip: _scale_to_bytes(strip, low, white).convert("RGB")
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(lab, srgb, "LAB", "RGB")
        return lambda strip: ImageCms.applyTransform(strip, transform) or strip
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        return _lay_over_white
    return lambda strip: strip.convert("RGB")


def _lay_over_white(strip: Image.Image) -> Image.Image:
    """Return a strip with transparent pixels over white."""
    transparent = strip.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", strip.size, "white"), transparent).convert("RGB")


def _read(
    opened: Image.Image,
    file: MeteredFile,
    side: int,
    smallest: int,
    max_megapixels: float,
    exif: Image.Exif | None = None,
) -> tuple[RGB, ImageMetadata]:
    """Decode an opened picture to the requested size.

    Args:
        opened: the picture, by its header alone.
        file: its file.
        side: see `decode`.
        smallest: see `decode`.
        max_megapixels: see `decode`.
        exif: see `read_metadata`.
    """
    with opened as image:
        width, height = image.size
        metadata = read_metadata(image, file.n_bytes, exif)
        file.end_header()
        # Shrink as early as possible: JPEG decodes to fewer lines, and fewer pixels are turned and converted.
        target = _fit_size(width, height, side)
        if math.prod(target) > max_megapixels * 1e6:
            raise UnreadableImageError(f"at a longer side of {side} it has more than {max_megapixels:g} million pixels")
        if image.format == "JPEG":
            image.draft(None, target)
        if can_shrink(image) and image.size[0] > target[0]:
            image.thumbnail(target, Image.Resampling.BICUBIC, reducing_gap=2.0)
        upright = to_upright_rgb(image)
        # The exact size comes last, since turning swaps the sides.
        if image.getexif().get(_ORIENTATION) in TURNED_ORIENTATIONS:
            target = target[::-1]
        target = (max(smallest, target[0]), max(smallest, target[1]))
        if upright.size != target:
            upright = upright.resize(target, Image.Resampling.BICUBIC, reducing_gap=2.0)
        return np.asarray(upright), metadata


def _fit_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Return width and height in the same proportion, the longer one being `side`.

    >>> _fit_size(400, 300, 200), _fit_size(1, 5000, 200)
    ((200, 150), (1, 200))
    """
    longer = max(width, height)
    return max(1, round(width * side / longer)), max(1, round(height * side / longer))


def _range_of_gray(image: Image.Image, boxes: list[Box]) -> tuple[float, float]:
    """Return the values that stand for black and white.

    White is 65,535 in 16 bits, else the least usual limit above the maximum.

    Args:
        image: gray of more than 8 bits.
        boxes: its strips.
    """
    extremes = [(float(x.min()), float(x.max())) for x in (_finite_values(image.crop(box)) for box in boxes)]
    low = min(0.0, min(least for least, _ in extremes))
    high = max(most for _, most in extremes)
    if image.mode.startswith("I;16"):
        white = 65535.0
    else:
        white = next((limit for limit in (1.0, 255.0, 65535.0) if high <= limit and image.mode == "F"), high)
        white = 65535.0 if image.mode == "I" and high <= 65535 else white
    return low, white


def _finite_values(strip: Image.Image) -> NDArray[np.float64]:
    """Return the values of a strip, zero for those that are not finite."""
    return np.nan_to_num(np.asarray(strip).astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)


def _scale_to_bytes(strip: Image.Image, low: float, white: float) -> Image.Image:
    """Scale gray of more than 8 bits to 8, `low` being black."""
    scaled = (_finite_values(strip) - low) / max(white - low, 1e-12) * 255
    return Image.fromarray(np.rint(np.clip(scaled, 0, 255)).astype(np.uint8))


def _digest(file: BinaryIO) -> bytes:
    """Hash an open file from its beginning."""
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.digest()


def _guess_format(file: BinaryIO) -> str:
    """Return what a file that Pillow does not know may be, and what would read it."""
    file.seek(0)
    head = file.read(32)
    if head[4:8] == b"ftyp" and any(brand in head[8:] for brand in _HEIF_BRANDS) and b"avif" not in head:
        if "HEIF" in Image.OPEN:
            return "a damaged HEIC file"
        return "HEIC needs pillow-heif; type: pip install 'deepcluster_pl[photos]'"
    if head[4:8] == b"ftyp" and b"avif" in head:
        return "damaged, or AVIF, which needs Pillow 11.3 or newer; type: pip install -U pillow"
    return "no picture of a known format, or its beginning is damaged"
