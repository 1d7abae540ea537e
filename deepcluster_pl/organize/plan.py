"""Decide which folder each picture of a run belongs in."""

from __future__ import annotations

import csv
import math
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from deepcluster_pl.errors import UserError
from deepcluster_pl.organize.choices import Choices
from deepcluster_pl.organize.paths import is_reserved, problem_of_path

By = Literal["cluster", "month", "place"]
CAN_GO = "can go"
"""Folder of the pictures that the gallery marked so."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")
_CLUSTER = re.compile(r"-1|[0-9]{1,9}")
_LONGEST, _MOST_BYTES = 80, 200


class Picture(NamedTuple):
    """One picture as a run's tables describe it.

    Attributes:
        name: id, the path below the library's root.
        cluster: from 0; -1 of one in no group.
        taken: YYYY-MM-DDTHH:MM:SS, or empty.
        latitude: degrees north as text, or empty.
        longitude: degrees east as text, or empty.
        group: name that the run suggests for the cluster, or empty.
        town: name of the town near the place, or empty.
    """

    name: str
    cluster: int
    taken: str
    latitude: str
    longitude: str
    group: str = ""
    town: str = ""


def read_pictures(folder: Path) -> list[Picture]:
    """Return all pictures of a run, in the order of assignments.csv.

    Raises:
        UserError: the run folder misses a table, because the run is unfinished or was on other data; or a table names
            a path that is not below the library, or holds something else than clusters, dates and places.
    """
    facts: dict[str, tuple[str, str, str, str]] = {}
    table = folder / "pictures.csv"
    for number, row in enumerate(_rows(table, ("id",)), start=2):
        taken, latitude, longitude = (row.get(key) or "" for key in ("taken", "latitude", "longitude"))
        if taken and not _DATE.fullmatch(taken):
            raise UserError(f"{table}, record {number}: found {taken!r} as taken, expected YYYY-MM-DDTHH:MM:SS")
        for text in (latitude, longitude):
            if text and not _is_number(text):
                raise UserError(f"{table}, record {number}: found {text!r} as a place, expected degrees")
        facts[_checked_id(table, number, row["id"])] = (taken, latitude, longitude, row.get("town") or "")
    pictures = []
    table = folder / "assignments.csv"
    for number, row in enumerate(_rows(table, ("id", "cluster")), start=2):
        if not _CLUSTER.fullmatch(row["cluster"] or ""):
            raise UserError(f"{table}, record {number}: found {row['cluster']!r} as the cluster, expected a number")
        name = _checked_id(table, number, row["id"])
        group = (row.get("name") or "").strip()
        taken, latitude, longitude, town = facts.get(name, ("", "", "", ""))
        pictures.append(Picture(name, int(row["cluster"]), taken, latitude, longitude, group, town))
    return pictures


def _checked_id(table: Path, number: int, text: str) -> str:
    """Return the path of a picture, as a table names it; raise `UserError` if it cannot be below the library."""
    if problem := problem_of_path(text):
        raise UserError(f"{table}, record {number}: {text!r} {problem}; expected a path below the library")
    return text


def _is_number(text: str) -> bool:
    """Return whether a text is a finite number."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


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
    >>> folder_for(Picture("a.jpg", 2, "", "45.8", "4.8", town="Lyon, France"), "place", Choices())
    'Lyon, France'
    """
    if by == "month":
        own = f"{picture.taken[:4]}/{picture.taken[:7]}" if picture.taken else "no date"
    elif by == "place":
        own = _place_name(picture) if picture.latitude and picture.longitude else "no place"
    else:
        own = safe_folder_name(choices.group_name(picture.cluster, picture.group))
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
    return f"_{text}" if not text or is_reserved(text) or text.lower() == CAN_GO else text


def _place_name(picture: Picture) -> str:
    """Return the town near a picture's place, or else its coordinates, rounded to a tenth of a degree."""
    if picture.town.strip():
        return safe_folder_name(picture.town)
    latitude, longitude = float(picture.latitude), float(picture.longitude)
    return f"{abs(latitude):.1f} {'NS'[latitude < 0]}, {abs(longitude):.1f} {'EW'[longitude < 0]}"


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Yield the rows of a run's table; a missing or damaged one is a `UserError`."""
    if not path.is_file():
        raise UserError(f"{path} is missing; type run=<folder of a finished run on a folder of pictures>")
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        reader = csv.DictReader(file)
        try:
            if missing := [name for name in columns if name not in (reader.fieldnames or ())]:
                raise UserError(f"{path}: found no column {missing[0]}; expected a table that a run on pictures wrote")
            for row in reader:
                if any(row[name] is None for name in columns):
                    raise UserError(f"{path}, line {reader.line_num}: found a row that is cut off")
                yield row
        except csv.Error as error:
            raise UserError(f"{path}, line {reader.line_num}: {error}; expected a table that a run wrote") from error
