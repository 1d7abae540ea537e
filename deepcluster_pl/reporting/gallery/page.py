"""Write gallery.html from a run on a folder of pictures."""

from __future__ import annotations

import base64
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import torch
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from numpy.typing import NDArray

from deepcluster_pl.data.images.copies import find_copies
from deepcluster_pl.data.sources.image_folder import ImageFolder
from deepcluster_pl.evaluation.levels import Levels
from deepcluster_pl.evaluation.naming import suggest_names
from deepcluster_pl.evaluation.predictions import Predictions
from deepcluster_pl.evaluation.projection import Places
from deepcluster_pl.functional.neighbors import nearest_neighbors
from deepcluster_pl.reporting.cells import cell_colors, part_titles
from deepcluster_pl.reporting.gallery.digest import partition_digest
from deepcluster_pl.reporting.gallery.selection import GalleryPicture, select_pictures
from deepcluster_pl.reporting.palette import OUTSIDE
from deepcluster_pl.reporting.representatives import DOUBT
from deepcluster_pl.reporting.script_json import script_json
from deepcluster_pl.utils.atomic_files import atomic_write

_N_SIMILAR = 8


def save_gallery(
    folder: Path,
    data: ImageFolder,
    predictions: Predictions,
    places: Places,
    colors: Sequence[str],
    title: str,
    names: Sequence[str] | None = None,
    levels: Levels | None = None,
    chips: Mapping[str, Mapping[str, Collection[str]]] | None = None,
    lines: Mapping[str, str] | None = None,
) -> None:
    """Write gallery.html.

    Args:
        folder: run folder.
        data: a folder of pictures, with their thumbnails.
        predictions: of each of its parts; cluster -1 is that of a picture in no group.
        places: point (N, 2) of every picture on the map, by part.
        colors: one for each of the K clusters.
        title: of the page.
        names: suggested name of each cluster, which a person can change; None where there are none.
        levels: coarser and finer levels of the partition; None where there are none.
        chips: answers to filter by, and the ids of the pictures that each is true of, by the title of their row.
        lines: what is known about pictures, by id; it is shown below the large picture, and searched.
    """
    pictures = select_pictures(predictions, len(colors))
    clusters = np.concatenate([prediction.clusters.numpy() for prediction in predictions.values()])
    # Pictures in no group make one more card, which comes after those of the K clusters
    outside = len(colors) if (clusters < 0).any() else None
    sizes = np.bincount(np.where(clusters < 0, len(colors), clusters), minlength=len(colors))
    shown = picture_facts(data, predictions, places, pictures)
    shown["cluster"] = [len(colors) if k < 0 else k for k in shown["cluster"]]
    facts = {
        **shown,
        "partition": _digest(data, predictions),
        "root": _relative_url(Path(data.root or "."), folder),
        "outside": outside,
        "colors": [*colors, *([] if outside is None else [OUTSIDE])],
        "names": [*(names or [""] * len(colors)), *([] if outside is None else [""])],
        "sizes": sizes.tolist(),
        "doubtful_above": DOUBT,
        "lines": [(lines or {}).get(name, "") for name in shown["ids"]],
        "chips": _chip_facts(chips or {}, shown["ids"]),
        "levels": _level_facts(levels, pictures, colors, _cell_names(data, predictions, levels, names))
        if levels
        else None,
    }
    environment = Environment(
        loader=PackageLoader("deepcluster_pl.reporting.gallery"), autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    # The gallery looks like the report
    style = Environment(loader=PackageLoader("deepcluster_pl.reporting.html_report")).get_template("style.css").render()
    page = environment.get_template("gallery.html").render(
        title=title,
        facts=script_json(facts),
        style=Markup(style),
        n_all=int(sizes.sum()),
        n_shown=len(pictures),
        has_towns=any(shown["towns"]),
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
        Lists of the same length by kind. `similar` has the positions of the nearest others. `near_duplicates` alone
        holds groups of positions, the best first, and `certain` says of each group whether its pictures were compared
        place by place.
    """
    ids = [str(data.part(picture.part).ids[picture.row]) for picture in pictures]
    thumbnails = [data.thumbnail(picture.part, picture.row) or b"" for picture in pictures]
    metadata = [data.metadata[name] for name in ids]

    def load(positions: Sequence[int]) -> dict[int, NDArray[np.uint8]]:
        pictures = data.gray_pictures([ids[i] for i in positions])
        return {i: pictures[ids[i]] for i in positions if ids[i] in pictures}

    embeddings = torch.stack([predictions[part].z[row] for part, row, _ in pictures]).float()
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
        "towns": [data.towns[name] for name in ids],
        "sizes_px": [[known.width, known.height] for known in metadata],
        "thumbnails": [base64.b64encode(thumbnail).decode() for thumbnail in thumbnails],
        "near_duplicates": [group.members for group in copies],
        "certain": [group.is_certain for group in copies],
        "similar": nearest_neighbors(embeddings, min(_N_SIMILAR, len(ids) - 1)).tolist() if len(ids) > 1 else [[]],
    }


def _level_facts(
    levels: Levels, pictures: Sequence[GalleryPicture], colors: Sequence[str], names: Sequence[str]
) -> dict[str, Any] | None:
    """Return the levels as the page uses them; None where only the chosen one is there.

    Args:
        levels: of the run.
        pictures: those that the page shows.
        colors: one for each of the K clusters.
        names: suggested name of each cell, or empty texts.

    Returns:
        `offered` has the `name`, `kind` and `groups` of each level: lists of clusters, the largest first. `cell` is
        the finest cell of each picture, C for one in no group, and `sizes`, `colors` and `names` are of the C cells.
    """
    if len(levels.offered) < 2:
        return None
    owner, n_cells = levels.cluster_of_cell, len(levels.cluster_of_cell)
    sizes = sum(np.bincount(cells[cells >= 0], minlength=n_cells) for cells in levels.cells.values())
    of_cluster = np.bincount(owner, sizes, len(colors))
    offered = []
    for level in levels.offered:
        groups = [np.unique(owner[level.group_of_cell == k]) for k in np.unique(level.group_of_cell)]
        ordered = [sorted(some.tolist(), key=lambda k: (-of_cluster[k], k)) for some in groups]
        offered.append({"name": level.name, "kind": level.kind, "groups": ordered})
    cells = [int(levels.cells[picture.part][picture.row]) for picture in pictures]
    titles = part_titles(owner)
    return {
        "chosen": levels.chosen, "offered": offered, "cell": [n_cells if cell < 0 else cell for cell in cells],
        "sizes": np.asarray(sizes).tolist(), "colors": cell_colors(owner, colors),
        "names": list(names),
        "titles": [titles[cell].replace("Cluster", "Group") for cell in range(n_cells)],
    }  # fmt: skip


def _cell_names(data: ImageFolder, predictions: Predictions, levels: Levels, names: Sequence[str] | None) -> list[str]:
    """Return the name of each finest cell: its cluster's, or of a part of one the words of its own pictures.

    Args:
        data: a folder of pictures.
        predictions: of each of its parts.
        levels: of the run.
        names: suggested name of each cluster; None where there are none, and then no cell has one.
    """
    owner = levels.cluster_of_cell
    if not names:
        return [""] * len(owner)
    parts = {
        part: replace(prediction, clusters=torch.from_numpy(levels.cells[part]))
        for part, prediction in predictions.items()
    }
    own, n_parts = suggest_names(data, parts, len(owner)), np.bincount(owner)
    found = [own[cell] if own and n_parts[k] > 1 else names[k] for cell, k in enumerate(owner.tolist())]
    # No two are equal, so that no two groups share a folder
    return [f"{name} ({cell})" if name in found[:cell] else name for cell, name in enumerate(found)]


def _chip_facts(chips: Mapping[str, Mapping[str, Collection[str]]], ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows of chips as the page uses them: a title, and positions of pictures by answer.

    Args:
        chips: see `save_gallery`.
        ids: of the pictures that the page shows.

    >>> _chip_facts({"Faces": {"none": ["b"], "some": []}}, ["a", "b"])
    [{'title': 'Faces', 'kinds': [('none', [1])]}]
    """
    position = {name: i for i, name in enumerate(ids)}
    rows = []
    for title, answers in chips.items():
        shown = (
            (answer, sorted(position[name] for name in some if name in position)) for answer, some in answers.items()
        )
        rows.append({"title": title, "kinds": [(answer, positions) for answer, positions in shown if positions]})
    return [row for row in rows if row["kinds"]]


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
