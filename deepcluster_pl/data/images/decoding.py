"""Decoding of one file into an upright, small RGB picture, or one line that says why it is none."""

from __future__ import annotations

import hashlib
import os
import warnings
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image, ImageCms, ImageFile, ImageOps, UnidentifiedImageError

from deepcluster_pl.data.images.descriptors.planes import RGB
from deepcluster_pl.data.images.exif import TURNED_ORIENTATIONS, ImageMetadata, read_metadata
from deepcluster_pl.errors import first_line

Image.MAX_IMAGE_PIXELS = None  # `max_megapixels` is checked before anything is decoded, and Pillow need not warn
ImageFile.LOAD_TRUNCATED_IMAGES = False  # half a picture is not the picture
_ORIENTATION = 0x0112
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_CHUNK_BYTES = 2**20


class UnreadableImageError(Exception):
    """The reason, in one line, why a file is no picture."""


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
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about broken metadata; the picture is good without them
            try:
                rgb, metadata = _read(file, side, smallest, max_megapixels)
            except UnidentifiedImageError as error:
                raise UnreadableImageError(_guess_format(file)) from error
            return DecodedImage(rgb, _digest(file), metadata)
    except UnreadableImageError:
        raise
    except MemoryError as error:
        raise UnreadableImageError("too large for the memory there is") from error
    except OSError as error:
        raise UnreadableImageError(error.strerror or first_line(error)) from error
    except Exception as error:  # a damaged file can make a decoder fail in any way
        raise UnreadableImageError(f"damaged: {first_line(error)}") from error


def to_upright_rgb(image: Image.Image) -> Image.Image:
    """Convert a picture of any mode to RGB, turned as EXIF asks.

    Transparent pixels are laid over white. 16 bits and floats are scaled rather than clipped.
    """
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        return _scale_to_bytes(image).convert("RGB")
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB") or image
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        transparent = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), transparent).convert("RGB")
    return image.convert("RGB")


def _read(file: BinaryIO, side: int, smallest: int, max_megapixels: float) -> tuple[RGB, ImageMetadata]:
    """Decode an open file to the requested size."""
    with Image.open(file) as image:
        # The header alone decides whether the picture is decoded.
        width, height = image.size
        if width * height > max_megapixels * 1e6:
            raise UnreadableImageError(
                f"{width} x {height} pixels are more than {max_megapixels:g} million; data.max_megapixels allows more"
            )
        metadata = read_metadata(image, os.fstat(file.fileno()).st_size)
        # Shrink as early as possible: JPEG decodes to fewer lines, and fewer pixels are turned and converted.
        target = _fit_size(width, height, side)
        if image.format == "JPEG":
            image.draft(None, target)
        if _can_shrink(image) and image.size[0] > target[0]:
            image.thumbnail(target, Image.Resampling.BICUBIC, reducing_gap=2.0)
        upright = to_upright_rgb(image)
        # The exact size comes last, since turning swaps the sides.
        if image.getexif().get(_ORIENTATION) in TURNED_ORIENTATIONS:
            target = target[::-1]
        target = (max(smallest, target[0]), max(smallest, target[1]))
        if upright.size != target:
            upright = upright.resize(target, Image.Resampling.BICUBIC, reducing_gap=2.0)
        return np.asarray(upright), metadata


def _can_shrink(image: Image.Image) -> bool:
    """Return whether averages of neighboring pixels are meaningful in this mode; of palette numbers they are not."""
    return image.mode in ("RGB", "L", "CMYK", "YCbCr") and "transparency" not in image.info


def _fit_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Return width and height in the same proportion, the longer one being `side`.

    >>> _fit_size(400, 300, 200), _fit_size(1, 5000, 200)
    ((200, 150), (1, 200))
    """
    longer = max(width, height)
    return max(1, round(width * side / longer)), max(1, round(height * side / longer))


def _scale_to_bytes(image: Image.Image) -> Image.Image:
    """Scale gray of more than 8 bits to 8: white is 65,535 in 16 bits, else the least usual limit above the maximum."""
    x = np.nan_to_num(np.asarray(image).astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low = min(0.0, float(x.min()))
    high = float(x.max())
    if image.mode.startswith("I;16"):
        white = 65535.0
    else:
        white = next((limit for limit in (1.0, 255.0, 65535.0) if high <= limit and image.mode == "F"), high)
        white = 65535.0 if image.mode == "I" and high <= 65535 else white
    scaled = (x - low) / max(white - low, 1e-12) * 255
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
    return "no picture that Pillow knows, or its beginning is damaged"
