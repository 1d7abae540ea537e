"""One file becomes one upright RGB picture, small, with every way it can fail said in a line."""

from __future__ import annotations

import hashlib
import os
import warnings
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image, ImageCms, ImageFile, ImageOps, UnidentifiedImageError

from deepcluster_pl.data.images.descriptors.planes import RGB
from deepcluster_pl.data.images.exif import ImageMetadata, read_metadata

Image.MAX_IMAGE_PIXELS = None  # `max_megapixels` is looked at before anything is decoded, and Pillow need not warn
_ORIENTATION, _TURNED = 0x0112, (5, 6, 7, 8)
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_CHUNK = 2**20


class UnreadableImageError(Exception):
    """Why a file is no picture, in a line."""


class Decoded(NamedTuple):
    """A picture and what else its file says.

    Attributes:
        rgb: the first frame (H, W, 3), upright, its longer side as asked for.
        digest: SHA-256 of the file's bytes.
        facts: size, date and place.
    """

    rgb: RGB
    digest: bytes
    facts: ImageMetadata


def add_heif() -> None:
    """Let Pillow read HEIC where the extra `photos` is installed."""
    try:
        import pillow_heif
    except ImportError:
        return
    pillow_heif.register_heif_opener()


def decode(path: Path, side: int, smallest: int, max_megapixels: float) -> Decoded:
    """Read a file, whatever its suffix says; `UnreadableImageError` where that is impossible.

    Args:
        path: the file.
        side: longer side of the result, for pictures larger and smaller than it.
        smallest: the shorter side is at least this; only of very long pictures is it, and they are stretched.
        max_megapixels: pictures whose header says more are not decoded.
    """
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of broken metadata: the picture is what counts
            try:
                rgb, facts = _read(file, side, smallest, max_megapixels)
            except UnidentifiedImageError as error:
                raise UnreadableImageError(_unknown(file)) from error
            return Decoded(rgb, _digest(file), facts)
    except UnreadableImageError:
        raise
    except MemoryError as error:
        raise UnreadableImageError("too large for the memory there is") from error
    except OSError as error:
        raise UnreadableImageError(error.strerror or _line(error)) from error
    except Exception as error:  # a damaged file can make a decoder fail in any way
        raise UnreadableImageError(f"damaged: {_line(error)}") from error


def upright_rgb(image: Image.Image) -> Image.Image:
    """Any mode as RGB: transparent over white, 16 bits and floats scaled rather than cut off, turned as EXIF says."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        return _from_numbers(image).convert("RGB")
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB") or image
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        see_through = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), see_through).convert("RGB")
    return image.convert("RGB")


def _read(file: BinaryIO, side: int, smallest: int, max_megapixels: float) -> tuple[RGB, ImageMetadata]:
    with Image.open(file) as image:
        width, height = image.size
        if width * height > max_megapixels * 1e6:
            raise UnreadableImageError(
                f"{width} x {height} pixels are more than {max_megapixels:g} million; data.max_megapixels allows more"
            )
        facts = read_metadata(image, os.fstat(file.fileno()).st_size)
        if image.format == "JPEG":
            image.draft(None, _fitted(width, height, side))  # decodes an eighth to all of the lines
        wanted = _fitted(width, height, side)
        if _may_shrink(image) and image.size[0] > wanted[0]:
            image.thumbnail(
                wanted, Image.Resampling.BICUBIC, reducing_gap=2.0
            )  # before turning and mixing: fewer pixels
        small = upright_rgb(image)
        if image.getexif().get(_ORIENTATION) in _TURNED:
            wanted = wanted[::-1]
        target = (max(smallest, wanted[0]), max(smallest, wanted[1]))
        if small.size != target:
            small = small.resize(target, Image.Resampling.BICUBIC, reducing_gap=2.0)
        return np.asarray(small), facts


def _may_shrink(image: Image.Image) -> bool:
    """Whether mixing neighboring pixels of this mode gives pixels between them."""
    return image.mode in ("RGB", "L", "CMYK", "YCbCr") and "transparency" not in image.info


def _fitted(width: int, height: int, side: int) -> tuple[int, int]:
    """Width and height with the longer one `side`, in proportion.

    >>> _fitted(400, 300, 200), _fitted(1, 5000, 200)
    ((200, 150), (1, 200))
    """
    longer = max(width, height)
    return max(1, round(width * side / longer)), max(1, round(height * side / longer))


def _from_numbers(image: Image.Image) -> Image.Image:
    """Gray of more than 8 bits as 8 bits: white is 65,535 in 16 bits, of floats and 32 bits what their range says."""
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
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.digest()


def _unknown(file: BinaryIO) -> str:
    """What a file that Pillow does not know may be."""
    file.seek(0)
    head = file.read(32)
    if head[4:8] == b"ftyp" and any(brand in head[8:] for brand in _HEIF_BRANDS) and b"avif" not in head:
        if "HEIF" in Image.OPEN:
            return "a damaged HEIC file"
        return "HEIC needs pillow-heif; type: pip install 'deepcluster_pl[photos]'"
    if head[4:8] == b"ftyp" and b"avif" in head:
        return "damaged, or AVIF, which needs Pillow 11.3 or newer; type: pip install -U pillow"
    return "no picture that Pillow knows, or its beginning is damaged"


def _line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


ImageFile.LOAD_TRUNCATED_IMAGES = False  # half a picture is not the picture
