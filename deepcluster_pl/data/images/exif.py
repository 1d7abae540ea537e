"""What a picture's file says beside its colors: size, when and where it was taken."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

from PIL import ExifTags, Image

_TURNED = (5, 6, 7, 8)
_TIME = re.compile(r"(\d{4})[:-](\d{2})[:-](\d{2})[ T](\d{2}):(\d{2}):(\d{2})")


class ImageMetadata(NamedTuple):
    """Of one file.

    Attributes:
        width: pixels of the upright picture.
        height: the same.
        n_bytes: of the file.
        taken: date and time as the camera had them, YYYY-MM-DDTHH:MM:SS, or empty.
        latitude: degrees north, or None.
        longitude: degrees east, or None.
    """

    width: int
    height: int
    n_bytes: int
    taken: str
    latitude: float | None
    longitude: float | None


def read_metadata(image: Image.Image, n_bytes: int) -> ImageMetadata:
    """Read the header of a picture that nothing was done to yet; broken metadata count as none."""
    width, height = image.size
    try:
        exif = image.getexif()
        turned = exif.get(ExifTags.Base.Orientation) in _TURNED
        details = exif.get_ifd(ExifTags.IFD.Exif)
        places = exif.get_ifd(ExifTags.IFD.GPSInfo)
        taken = _time(details.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime))
        latitude = _degrees(places, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, "S", 90)
        longitude = _degrees(places, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, "W", 180)
    except Exception:  # a damaged block of metadata can make its reader fail in any way
        return ImageMetadata(width, height, n_bytes, "", None, None)
    if turned:
        width, height = height, width
    whole = latitude is not None and longitude is not None
    return ImageMetadata(width, height, n_bytes, taken, latitude if whole else None, longitude if whole else None)


def _time(value: Any) -> str:
    """EXIF's date and time in ISO 8601; empty where it is none.

    >>> _time("2019:07:28 18:03:11"), _time("0000:00:00 00:00:00"), _time(None)
    ('2019-07-28T18:03:11', '', '')
    """
    match = _TIME.match(str(value or ""))
    if match is None or not (1 <= int(match[2]) <= 12 and 1 <= int(match[3]) <= 31):
        return ""
    return "{}-{}-{}T{}:{}:{}".format(*match.groups())


def _degrees(places: Any, value: int, reference: int, negative: str, limit: float) -> float | None:
    """Degrees, minutes and seconds as degrees; None where they are missing, or no place on Earth.

    >>> _degrees({2: (30, 15, 0), 1: "S"}, 2, 1, "S", 90), _degrees({2: (200, 0, 0), 1: "N"}, 2, 1, "S", 90)
    (-30.25, None)
    """
    parts = places.get(value)
    if parts is None or len(parts) != 3:
        return None
    degrees = math.fsum(float(part) / 60**power for power, part in enumerate(parts))
    if not math.isfinite(degrees) or not 0 <= degrees <= limit:
        return None
    return round(-degrees if str(places.get(reference, "")).upper().startswith(negative) else degrees, 6)
