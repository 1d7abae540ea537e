"""Size, date and place of a picture's file; what is no date or no place on Earth counts as none."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from deepcluster_pl.data.images.exif import read_metadata


def metadata(taken=None, latitude=None, longitude=None, orientation=1, changed=None, scanned=None, form="JPEG"):
    """Metadata of a picture of 8 x 4 pixels; a place is degrees, minutes, seconds and the side of the Earth."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    if changed is not None:
        exif[0x0132] = changed
    if taken is not None:
        exif.get_ifd(0x8769)[0x9003] = taken
    if scanned is not None:
        exif.get_ifd(0x8769)[0x9004] = scanned
    for place, key in ((latitude, 1), (longitude, 3)):
        if place is not None:
            exif.get_ifd(0x8825).update({key: place[-1], key + 1: tuple(map(float, place[:-1]))})
    file = io.BytesIO()
    Image.new("RGB", (8, 4)).save(file, form, exif=exif)
    with Image.open(file) as image:
        return read_metadata(image, 77)


@pytest.mark.parametrize(("orientation", "size"), [(1, (8, 4)), (4, (8, 4)), (5, (4, 8)), (8, (4, 8))])
def test_width_and_height_are_those_of_the_upright_picture(orientation, size):
    found = metadata(orientation=orientation)
    assert (found.width, found.height, found.n_bytes) == (*size, 77)
    assert (found.taken, found.latitude, found.longitude) == ("", None, None)


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ("2019:07:28 18:03:11", "2019-07-28T18:03:11"),
        ("2019-01-01T00:00:00", "2019-01-01T00:00:00"),
        ("2019:12:31 23:59:59", "2019-12-31T23:59:59"),
        ("2019:13:01 00:00:00", ""),
        ("2019:00:01 00:00:00", ""),
        ("2019:01:00 00:00:00", ""),
        ("2019:01:32 00:00:00", ""),
        ("2019:02:31 12:00:00", ""),
        ("2019:07:28 24:00:00", ""),
        ("2019:07:28 12:60:00", ""),
        ("0000:00:00 00:00:00", ""),
        ("    :  :     :  :  ", ""),
        ("yesterday", ""),
    ],
)
def test_a_date_is_told_from_nonsense(written, taken):
    assert metadata(taken=written).taken == taken


def test_the_date_of_the_shot_comes_before_that_of_the_last_change():
    assert metadata(changed="2020:02:02 02:02:02").taken == "2020-02-02T02:02:02"
    assert metadata("2019:07:28 18:03:11", changed="2020:02:02 02:02:02").taken == "2019-07-28T18:03:11"


def test_dates_are_tried_in_order_until_one_is_a_date():
    change = "2020:02:02 02:02:02"
    assert metadata("0000:00:00 00:00:00", scanned="2001:05:06 07:08:09", changed=change).taken == "2001-05-06T07:08:09"
    assert metadata("2019:02:31 12:00:00", scanned="nonsense", changed=change).taken == "2020-02-02T02:02:02"


@pytest.mark.parametrize("form", ["JPEG", "MPO", "HEIF", "PNG", "WEBP"])
def test_metadata_of_every_format_are_read(form):
    if form == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    found = metadata("2019:07:28 18:03:11", latitude=(33, 51, 36, "S"), longitude=(151, 12, 0, "E"), form=form)
    assert (found.taken, found.latitude, found.longitude) == ("2019-07-28T18:03:11", -33.86, 151.2)


@pytest.mark.parametrize(
    ("latitude", "longitude", "place"),
    [
        ((33, 51, 36, "S"), (151, 12, 0, "E"), (-33.86, 151.2)),
        ((0, 0, 0, "N"), (0, 0, 1, "W"), (0.0, -0.000278)),
        ((0, 0, 0, "N"), (0, 0, 0, "E"), (None, None)),
        ((0, 0, 0, "N"), (10, 0, 0, "E"), (0.0, 10.0)),
        ((90, 0, 0, "N"), (180, 0, 0, "E"), (90.0, 180.0)),
        ((90, 0, 1, "N"), (1, 0, 0, "E"), (None, None)),
        ((1, 0, 0, "N"), (180, 0, 1, "E"), (None, None)),
        ((1, 0, 0, "N"), None, (None, None)),
        (None, (1, 0, 0, "E"), (None, None)),
        ((1, 0, "N"), (1, 0, 0, "E"), (None, None)),
    ],
)
def test_a_place_is_whole_and_on_earth_or_none(latitude, longitude, place):
    found = metadata(latitude=latitude, longitude=longitude)
    assert (found.latitude, found.longitude) == place
