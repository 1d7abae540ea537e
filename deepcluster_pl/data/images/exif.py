"""Metadata of a picture's file: size, and the date and place where it was taken."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any, NamedTuple

from PIL import ExifTags, Image

TURNED_ORIENTATIONS = (5, 6, 7, 8)
"""Values of EXIF's orientation that swap width and height."""
_TIME = re.compile(r"(\d{4})[:-](\d{2})[:-](\d{2})[ T](\d{2}):(\d{2}):(\d{2})")


class ImageMetadata(NamedTuple):
    """Size, date and place of one picture.

    Attributes:
        width: pixels of the upright picture.
        height: pixels of the upright picture.
        n_bytes: size of the file.
        taken: date and time of the camera's clock, YYYY-MM-DDTHH:MM:SS, or empty.
        latitude: degrees north, or None.
        longitude: degrees east, or None.
    """

    width: int
    height: int
    n_bytes: int
    taken: str
    latitude: float | None
    longitude: float | None


def read_metadata(image: Image.Image, n_bytes: int, exif: Image.Exif | None = None) -> ImageMetadata:
    """Read the header of a picture; broken metadata count as none.

    Args:
        image: an opened picture that nothing was done to yet.
        n_bytes: size of its file.
        exif: date and place, where they are not in the picture itself, but in a RAW file that it is a preview of.

    Returns:
        Size, date and place. The place is left out unless both coordinates are sound.
    """
    width, height = image.size
    try:
        own = image.getexif()
        turned = own.get(ExifTags.Base.Orientation) in TURNED_ORIENTATIONS
        exif = exif or own
        details = exif.get_ifd(ExifTags.IFD.Exif)
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        # The shot, its scan, the last change: the first that is a date
        written = [details.get(tag) for tag in (ExifTags.Base.DateTimeOriginal, ExifTags.Base.DateTimeDigitized)]
        written += [exif.get(ExifTags.Base.DateTime), own.get(ExifTags.Base.DateTime)]
        taken = next((time for value in written if (time := _iso_time(value))), "")
        latitude = _degrees(gps, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, "S", 90)
        longitude = _degrees(gps, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, "W", 180)
    except Exception:  # a damaged block of metadata can make its reader fail in any way
        return ImageMetadata(width, height, n_bytes, "", None, None)
    if turned:
        width, height = height, width
    # 0, 0 is what a device writes that does not know where it is
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        latitude = longitude = None
    return ImageMetadata(width, height, n_bytes, taken, latitude, longitude)


def _iso_time(value: Any) -> str:
    """Convert EXIF's date and time to ISO 8601; return an empty text where it is none, such as 31 February or hour 24.

    >>> _iso_time("2019:07:28 18:03:11"), _iso_time("0000:00:00 00:00:00"), _iso_time("2019:02:31 12:00:00")
    ('2019-07-28T18:03:11', '', '')
    """
    text = value.decode("ascii", "ignore") if isinstance(value, bytes) else str(value or "")
    match = _TIME.match(text)
    if match is None:
        return ""
    try:
        return datetime(*(int(part) for part in match.groups())).isoformat()  # type: ignore[arg-type]
    except ValueError:
        return ""


def _degrees(gps: Any, value: int, reference: int, negative: str, limit: float) -> float | None:
    """Convert degrees, minutes and seconds to degrees; return None where they are missing, or no place on Earth.

    >>> _degrees({2: (30, 15, 0), 1: "S"}, 2, 1, "S", 90), _degrees({2: (200, 0, 0), 1: "N"}, 2, 1, "S", 90)
    (-30.25, None)
    """
    parts = gps.get(value)
    if parts is None or len(parts) != 3:
        return None
    degrees = math.fsum(float(part) / 60**power for power, part in enumerate(parts))
    if not math.isfinite(degrees) or not 0 <= degrees <= limit:
        return None
    return round(-degrees if str(gps.get(reference, "")).upper().startswith(negative) else degrees, 6)
