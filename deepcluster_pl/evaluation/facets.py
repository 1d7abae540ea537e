"""Facets of pictures to filter by: made or natural, with writing or without, and the objects in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from deepcluster_pl.data.base import PartName
from deepcluster_pl.data.images.kinds import MADE, WRITING, kinds_of, objects_of
from deepcluster_pl.data.sources.image_folder import ImageFolder

SURE = 0.8
"""A facet is true of a picture from this probability on, and false from one minus it down; others are unsure."""
OBJECTS_COLUMN = "objects"
_ANSWERS = {MADE: ("Kind", "made", "natural"), WRITING: ("Writing", "with writing", "without writing")}
_ROWS_AT_ONCE = 2048


@dataclass
class Facets:
    """What is known about each picture.

    Attributes:
        columns: text for each sample of a part, by the name of the column in assignments.csv.
        chips: ids of pictures by answer, by the title of the question; for the gallery.
    """

    columns: dict[str, dict[PartName, list[str]]] = field(default_factory=dict)
    chips: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def add_kind(
        self, column: str, probability: Mapping[PartName, Sequence[float]], ids: Mapping[PartName, Sequence[str]]
    ) -> None:
        """Add a column of probabilities, and a question with three answers: yes, no and unsure.

        Args:
            column: its name, `MADE` or `WRITING`.
            probability: of every sample, by part.
            ids: of the samples, by part.
        """
        title, yes, no = _ANSWERS[column]
        self.columns[column] = {part: [f"{p:.2f}" for p in some] for part, some in probability.items()}
        answers: dict[str, list[str]] = {yes: [], no: [], "unsure": []}
        for part, some in probability.items():
            for name, p in zip(ids[part], some, strict=True):
                answers[yes if p >= SURE else no if p <= 1 - SURE else "unsure"].append(str(name))
        self.chips[title] = answers


def find_facets(data: ImageFolder, parts: Sequence[PartName]) -> Facets:
    """Return the facets that the features of pictures tell; none where these know no words. No label is read.

    Args:
        data: set up.
        parts: of the data that the run assigned.
    """
    facets = Facets()
    kinds: dict[str, dict[PartName, list[float]]] = {}
    objects: dict[PartName, list[str]] = {part: [] for part in parts}
    for name in parts:
        part = data.part(name)
        for start in range(0, len(part), _ROWS_AT_ONCE):
            x = part.take(np.arange(start, min(start + _ROWS_AT_ONCE, len(part))))
            known = data.features.words(x)
            if known is None:
                return facets
            words, drawing = torch.from_numpy(known[1]), data.features.block(x, "drawing")
            objects[name] += objects_of(words, known[0])
            for kind, p in kinds_of(words, known[0], None if drawing is None else torch.from_numpy(drawing)).items():
                kinds.setdefault(kind, {part: [] for part in parts})[name] += p.tolist()
    ids = {part: data.part(part).ids for part in parts}
    for kind, probability in kinds.items():
        facets.add_kind(kind, probability, ids)
    facets.columns[OBJECTS_COLUMN] = objects
    return facets
