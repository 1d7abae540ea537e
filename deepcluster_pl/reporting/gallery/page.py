"""Write gallery.html from a run on a folder of pictures."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from numpy.typing import NDArray

from deepcluster_pl.data.images.copies import find_copies
from deepcluster_pl.data.sources.image_folder import ImageFolder
from deepcluster_pl.evaluation.predictions import Predictions
from deepcluster_pl.evaluation.projection import Places
from deepcluster_pl.reporting.gallery.digest import partition_digest
from deepcluster_pl.reporting.gallery.selection import GalleryPicture, select_pictures
from deepcluster_pl.reporting.representatives import DOUBT
from deepcluster_pl.utils.atomic_files import atomic_write


def save_gallery(
    folder: Path,
    data: ImageFolder,
    predictions: Predictions,
    places: Places,
    colors: Sequence[str],
    title: str,
    names: Sequence[str] | None = None,
) -> None:
    """Write gallery.html.

    Args:
        folder: run folder.
        data: a folder of pictures, with their thumbnails.
        predictions: of each of its parts.
        places: point (N, 2) of every picture on the map, by part.
        colors: one for each of the K clusters.
        title: of the page.
        names: suggested name of each cluster, which a person can change; None where there are none.
    """
    pictures = select_pictures(predictions, len(colors))
    sizes = np.zeros(len(colors), dtype=np.int64)
    for prediction in predictions.values():
        sizes += np.bincount(prediction.clusters.numpy(), minlength=len(colors))
    facts = {
        **picture_facts(data, predictions, places, pictures),
        "partition": _digest(data, predictions),
        "root": _relative_url(Path(data.root or "."), folder),
        "colors": list(colors),
        "names": list(names) if names else [""] * len(colors),
        "sizes": sizes.tolist(),
        "doubtful_above": DOUBT,
    }
    environment = Environment(
        loader=PackageLoader("deepcluster_pl.reporting.gallery"), autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    # The gallery looks like the report
    style = Environment(loader=PackageLoader("deepcluster_pl.reporting.html_report")).get_template("style.css").render()
    page = environment.get_template("gallery.html").render(
        title=title, facts=script_json(facts), style=Markup(style), n_all=int(sizes.sum()), n_shown=len(pictures)
    )
    with atomic_write(folder / "gallery.html") as file:
        file.write(page)


def picture_facts(
    data: ImageFolder, predictions: Predictions, places: Places, pictures: Sequence[GalleryPicture]
) -> dict[str, list[Any]]:
    """Return the facts that the page has about each picture: one list, in the order of the pictures, for each kind.

    Args:
        data: a folder of pictures, with their thumbnails and metadata.
        predictions: of each of its parts.
        places: point (N, 2) of every picture on the map, by part.
        pictures: those that the page shows.

    Returns:
        Lists of the same length by kind. `near_duplicates` alone holds groups of positions, the best first, and
        `certain` says of each group whether its pictures were compared place by place.
    """
    ids = [str(data.part(picture.part).ids[picture.row]) for picture in pictures]
    thumbnails = [data.thumbnail(picture.part, picture.row) or b"" for picture in pictures]
    metadata = [data.metadata[name] for name in ids]

    def load(positions: Sequence[int]) -> dict[int, NDArray[np.uint8]]:
        pictures = data.gray_pictures([ids[i] for i in positions])
        return {i: pictures[ids[i]] for i in positions if ids[i] in pictures}

    copies = find_copies(thumbnails, [(known.width, known.height) for known in metadata], load)
    return {
        "ids": ids,
        "urls": [_url(name) for name in ids],
        "cluster": [picture.cluster for picture in pictures],
        "probability": [round(float(predictions[part].confidence[row]), 3) for part, row, _ in pictures],
        "doubt": [round(float(predictions[part].doubt[row]), 3) for part, row, _ in pictures],
        "places": [_four_digits(places[part][row]) for part, row, _ in pictures],
        "taken": [known.taken for known in metadata],
        "coordinates": [None if known.latitude is None else [known.latitude, known.longitude] for known in metadata],
        "sizes_px": [[known.width, known.height] for known in metadata],
        "thumbnails": [base64.b64encode(thumbnail).decode() for thumbnail in thumbnails],
        "near_duplicates": [group.members for group in copies],
        "certain": [group.is_certain for group in copies],
    }


def script_json(facts: Any) -> Markup:
    """Return JSON in ASCII that is safe inside a script element, whatever file names hold.

    >>> str(script_json({"id": "</script>&"}))
    '{"id":"\\\\u003c/script\\\\u003e\\\\u0026"}'
    """
    text = json.dumps(facts, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _digest(data: ImageFolder, predictions: Predictions) -> str:
    """Return the digest of the whole partition, whatever part of it the page shows."""
    ids = [str(name) for part in predictions for name in data.part(part).ids]
    clusters = [k for prediction in predictions.values() for k in prediction.clusters.tolist()]
    return partition_digest(ids, clusters)


def _relative_url(path: Path, folder: Path) -> str:
    """Return a path as an address relative to a folder, links followed."""
    return _url(Path(os.path.relpath(os.path.realpath(path), os.path.realpath(folder))).as_posix())


def _url(path: str) -> str:
    """Return a path quoted byte for byte, as addresses need it."""
    return quote(os.fsencode(path))


def _four_digits(place: NDArray[np.float32]) -> list[float]:
    """Return coordinates with four digits: the page gets smaller, and the map looks the same."""
    return [float(f"{value:.4g}") for value in place]
