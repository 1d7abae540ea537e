"""Decide which folder each picture of a run belongs in."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from deepcluster_pl.errors import UserError
from deepcluster_pl.organize.choices import Choices

By = Literal["cluster", "month", "place"]
CAN_GO = "can go"
"""Folder of the pictures that the gallery marked so."""
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_LONGEST, _MOST_BYTES = 80, 200


class Picture(NamedTuple):
    """One picture as a run's tables describe it.

    Attributes:
        name: id, the path below the library's root.
        cluster: from 0.
        taken: YYYY-MM-DDTHH:MM:SS, or empty.
        latitude: degrees north as text, or empty.
        longitude: degrees east as text, or empty.
    """

    name: str
    cluster: int
    taken: str
    latitude: str
    longitude: str


def read_pictures(folder: Path) -> list[Picture]:
    """Return all pictures of a run, in the order of assignments.csv.

    Raises:
        UserError: the run folder misses a table, because the run is unfinished or was on other data.
    """
    metadata = {row["id"]: row for row in _rows(folder / "pictures.csv")}
    pictures = []
    for row in _rows(folder / "assignments.csv"):
        known: dict[str, Any] = metadata.get(row["id"], {})
        place = (known.get("latitude") or "", known.get("longitude") or "")
        pictures.append(Picture(row["id"], int(row["cluster"]), known.get("taken") or "", *place))
    return pictures


def folder_for(picture: Picture, by: By, choices: Choices) -> str:
    """Return the folder that a picture belongs in, below the target.

    Args:
        picture: with its metadata.
        by: name folders after groups, months or places.
        choices: names of groups, and pictures that can go, which get a folder of their own.

    >>> folder_for(Picture("a.jpg", 2, "2019-07-28T18:03:11", "", ""), "month", Choices())
    '2019/2019-07'
    >>> folder_for(Picture("a.jpg", 2, "", "-30.25", "4.0"), "place", Choices())
    '30.2 S, 4.0 E'
    """
    if by == "month":
        own = f"{picture.taken[:4]}/{picture.taken[:7]}" if picture.taken else "no date"
    elif by == "place":
        own = _place_name(picture) if picture.latitude and picture.longitude else "no place"
    else:
        own = safe_folder_name(choices.group_name(picture.cluster))
    return f"{CAN_GO}/{own}" if choices.can_go(picture.cluster, picture.name) else own


def safe_folder_name(text: str) -> str:
    """Return any text as the name of one folder that every common file system takes.

    >>> safe_folder_name("../a:b?"), safe_folder_name(" . "), safe_folder_name("CON")
    ('_a_b_', '_', '_CON')
    """
    # No separators, wildcards or control characters; no dots or spaces at the ends
    text = "".join("_" if sign in '/\\\\:*?"<>|' or unicodedata.category(sign)[0] == "C" else sign for sign in text)
    text = text.strip().lstrip(".").rstrip(". ")[:_LONGEST].rstrip(". ")
    # File systems limit a name's bytes, not its characters
    while len(text.encode("utf-8", "surrogatepass")) > _MOST_BYTES:
        text = text[:-1]
    return f"_{text}" if not text or _RESERVED.fullmatch(text) or text.lower() == CAN_GO else text


def _place_name(picture: Picture) -> str:
    """Return a picture's coordinates, rounded to a tenth of a degree."""
    latitude, longitude = float(picture.latitude), float(picture.longitude)
    return f"{abs(latitude):.1f} {'NS'[latitude < 0]}, {abs(longitude):.1f} {'EW'[longitude < 0]}"


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a run's table; a missing one is a `UserError`."""
    if not path.is_file():
        raise UserError(f"{path} is missing; type run=<folder of a finished run on a folder of pictures>")
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        yield from csv.DictReader(file)
