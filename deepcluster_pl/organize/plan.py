"""Which folder each picture of a run belongs in."""

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
APART = "can go"
"""Folder of what was marked so in the gallery."""
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_LONGEST = 80


class Picture(NamedTuple):
    """A line of a run's tables.

    Attributes:
        name: id, the path below the root.
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


def pictures_of(folder: Path) -> list[Picture]:
    """All pictures of a run on a folder of pictures; `UserError` where the run was on something else."""
    facts = {row["id"]: row for row in _rows(folder / "pictures.csv")}
    found = []
    for row in _rows(folder / "assignments.csv"):
        fact: dict[str, Any] = facts.get(row["id"], {})
        place = (fact.get("latitude") or "", fact.get("longitude") or "")
        found.append(Picture(row["id"], int(row["cluster"]), fact.get("taken") or "", *place))
    return found


def folder_of(picture: Picture, by: By, choices: Choices) -> str:
    """The folder that a picture belongs in, below the target.

    >>> folder_of(Picture("a.jpg", 2, "2019-07-28T18:03:11", "", ""), "month", Choices())
    '2019/2019-07'
    >>> folder_of(Picture("a.jpg", 2, "", "-30.25", "4.0"), "place", Choices())
    '30.2 S, 4.0 E'
    """
    if by == "month":
        own = f"{picture.taken[:4]}/{picture.taken[:7]}" if picture.taken else "no date"
    elif by == "place":
        own = _place(picture) if picture.latitude and picture.longitude else "no place"
    else:
        own = safe_name(choices.name(picture.cluster))
    return f"{APART}/{own}" if choices.may_go(picture.cluster, picture.name) else own


def safe_name(text: str) -> str:
    """Any text as the name of one folder, on any common file system.

    >>> safe_name("../a:b?"), safe_name(" . "), safe_name("CON")
    ('_a_b_', '_', '_CON')
    """
    text = "".join("_" if sign in '/\\\\:*?"<>|' or unicodedata.category(sign)[0] == "C" else sign for sign in text)
    text = text.strip().lstrip(".").rstrip(". ")[:_LONGEST].rstrip(". ")
    while len(text.encode("utf-8", "surrogatepass")) > 200:
        text = text[:-1]
    return f"_{text}" if not text or _RESERVED.fullmatch(text) or text.lower() == APART else text


def _place(picture: Picture) -> str:
    latitude, longitude = float(picture.latitude), float(picture.longitude)
    return f"{abs(latitude):.1f} {'NS'[latitude < 0]}, {abs(longitude):.1f} {'EW'[longitude < 0]}"


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if not path.is_file():
        raise UserError(f"{path} is missing; type run=<the folder of a finished run of experiment=photos>")
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        yield from csv.DictReader(file)
