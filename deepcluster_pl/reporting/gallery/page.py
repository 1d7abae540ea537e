"""Write gallery.html."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from numpy.typing import NDArray

from deepcluster_pl.data.base import PartName
from deepcluster_pl.data.images.thumbnails import near_duplicates
from deepcluster_pl.data.sources.image_folder import ImageFolder
from deepcluster_pl.evaluation.predictions import Predictions
from deepcluster_pl.evaluation.projection import Places
from deepcluster_pl.reporting.gallery.selection import central_first, partition_digest, thinned
from deepcluster_pl.utils.atomic_files import atomic_write

MOST = 5000
"""Pictures in one page: about 25 MB."""


class Shown(NamedTuple):
    """One picture of the page: a part, and a position in it."""

    part: PartName
    row: int
    cluster: int


def save_gallery(
    folder: Path, data: ImageFolder, predictions: Predictions, places: Places, colors: Sequence[str], title: str
) -> None:
    """Write gallery.html into a run's folder.

    Args:
        folder: the run's.
        data: a folder of pictures, with their thumbnails.
        predictions: of each of its parts.
        places: point (N, 2) of every picture on the map, by part.
        colors: K of them.
        title: of the page.
    """
    shown = chosen(predictions, len(colors))
    facts = gathered(folder, data, predictions, places, shown)
    facts["colors"] = list(colors)
    sizes = np.zeros(len(colors), dtype=np.int64)
    for prediction in predictions.values():
        sizes += np.bincount(prediction.clusters.numpy(), minlength=len(colors))
    facts["sizes"] = sizes.tolist()
    environment = Environment(
        loader=PackageLoader("deepcluster_pl.reporting.gallery"), autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    style = Environment(loader=PackageLoader("deepcluster_pl.reporting.html_report")).get_template("style.css").render()
    page = environment.get_template("gallery.html").render(
        title=title, facts=script_json(facts), style=Markup(style), n_all=int(sizes.sum()), n_shown=len(shown)
    )
    with atomic_write(folder / "gallery.html") as file:
        file.write(page)


def chosen(predictions: Predictions, n_clusters: int) -> list[Shown]:
    """All pictures by cluster, the most central first; of more than `MOST` an even share of each cluster."""
    n = sum(len(prediction.clusters) for prediction in predictions.values())
    found = []
    for name, prediction in predictions.items():
        for k, members in enumerate(central_first(prediction, n_clusters)):
            most = len(members) if n <= MOST else max(2, len(members) * MOST // n)
            found += [Shown(name, row, k) for row in thinned(members, prediction.doubt, most).tolist()]
    return sorted(found, key=lambda one: one.cluster)  # stable: central ones stay first


def gathered(
    folder: Path, data: ImageFolder, predictions: Predictions, places: Places, shown: Sequence[Shown]
) -> dict[str, Any]:
    """What the page knows of each picture, a list for each kind of fact."""
    ids = [str(data.part(one.part).ids[one.row]) for one in shown]
    thumbnails = [data.thumbnail(one.part, one.row) or b"" for one in shown]
    facts = [data.metadata[name] for name in ids]
    everything = [(str(data.part(name).ids[i]), int(k)) for name in predictions
                  for i, k in enumerate(predictions[name].clusters.numpy())]  # fmt: skip
    return {
        "partition": partition_digest(*zip(*everything, strict=True)),
        "root": _url(Path(os.path.relpath(os.path.realpath(data.root or "."), os.path.realpath(folder))).as_posix()),
        "ids": ids,
        "urls": [_url(name) for name in ids],
        "cluster": [one.cluster for one in shown],
        "share": [round(float(predictions[one.part].confidence[one.row]), 3) for one in shown],
        "doubt": [round(float(predictions[one.part].doubt[one.row]), 3) for one in shown],
        "places": [_rounded(places[one.part][one.row]) for one in shown],
        "taken": [fact.taken for fact in facts],
        "where": [None if fact.latitude is None else [fact.latitude, fact.longitude] for fact in facts],
        "sizes_px": [[fact.width, fact.height] for fact in facts],
        "thumbnails": [base64.b64encode(thumbnail).decode() for thumbnail in thumbnails],
        "alike": near_duplicates(thumbnails),
    }


def script_json(facts: Any) -> Markup:
    """JSON that may stand inside a script element, in ASCII: names may hold anything, halves of characters too.

    >>> str(script_json({"id": "</script>&"}))
    '{"id":"\\\\u003c/script\\\\u003e\\\\u0026"}'
    """
    text = json.dumps(facts, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _url(path: str) -> str:
    """A path as a relative address, byte for byte."""
    return quote(os.fsencode(path))


def _rounded(place: NDArray[np.float32]) -> list[float]:
    return [float(f"{value:.4g}") for value in place]
