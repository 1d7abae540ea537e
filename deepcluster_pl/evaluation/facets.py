"""Facets of pictures to filter by: made or natural, writing and its words, objects, and faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from deepcluster_pl.data.base import PartName
from deepcluster_pl.data.images.faces import Faces
from deepcluster_pl.data.images.kinds import MADE, WRITING, kinds_of, objects_of
from deepcluster_pl.data.images.written_words import to_text
from deepcluster_pl.data.sources.image_folder import ImageFolder

SURE = 0.8
"""A facet is true of a picture from this probability on, and false from one minus it down; others are unsure."""
_ANSWERS = {MADE: ("Kind", "made", "natural"), WRITING: ("Writing", "with writing", "without writing")}
_NO_FACE = 0.5
LETTERS = 4
"""Letters and digits from which a picture has writing, where its words were read."""
_MOST_WORDS = 12
_ROWS_AT_ONCE = 2048


@dataclass
class Facets:
    """Columns and filters of what is known about each picture.

    Attributes:
        columns: text for each sample of a part, by the name of the column in assignments.csv.
        chips: ids of pictures by answer, by the title of the question; for the gallery.
    """

    columns: dict[str, dict[PartName, list[str]]] = field(default_factory=dict)
    chips: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def lines(self, ids: Mapping[PartName, Sequence[int | str]]) -> dict[str, str]:
        """Return a line about each picture by id, see `about`.

        Args:
            ids: of every sample, by part.
        """
        return {
            str(name): about({column: texts[part][i] for column, texts in self.columns.items()})
            for part, names in ids.items()
            for i, name in enumerate(names)
        }

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

    def add_faces(self, found: Mapping[str, NDArray[Any]], ids: Mapping[PartName, Sequence[str]]) -> None:
        """Add columns of the probability and the number of faces, and a question about them.

        Args:
            found: two numbers by id, see `Faces`; pictures that were not looked at are missing.
            ids: of every sample, by part.
        """
        answers: dict[str, list[str]] = {"one face": [], "several faces": [], "no face": [], "unsure": []}
        for part, names in ids.items():
            looks = [found.get(name) for name in names]
            self.columns.setdefault("face", {})[part] = ["" if row is None else f"{row[0]:.2f}" for row in looks]
            self.columns.setdefault("faces", {})[part] = ["" if row is None else str(int(row[1])) for row in looks]
            for name, row in zip(names, looks, strict=True):
                if row is not None:
                    number, absent = int(row[1]), row[0] <= _NO_FACE
                    number_words = "several faces" if number > 1 else "one face"
                    answers[number_words if number else "no face" if absent else "unsure"].append(name)
        self.chips["Faces"] = answers

    def add_words(self, found: Mapping[str, str], ids: Mapping[PartName, Sequence[str]]) -> None:
        """Add a column of the words in pictures; whether there is writing is answered by them from now on.

        Args:
            found: words by id; pictures that were not read are missing.
            ids: of every sample, by part.
        """
        self.columns["words"] = {part: [found.get(name, "") for name in names] for part, names in ids.items()}
        title, yes, no = _ANSWERS[WRITING]
        answers: dict[str, list[str]] = {yes: [], no: []}
        for name, text in found.items():
            answers[yes if sum(map(str.isalnum, text)) >= LETTERS else no].append(name)
        self.chips[title] = answers

    def add_objects(self, objects: Mapping[PartName, Sequence[str]], ids: Mapping[PartName, Sequence[str]]) -> None:
        """Add a column of the objects in pictures, and a question with the most frequent ones as answers.

        Args:
            objects: see `objects_of`, of every sample, by part.
            ids: of the samples, by part.
        """
        self.columns["objects"] = {part: list(some) for part, some in objects.items()}
        named: dict[str, list[str]] = {}
        for part, some in objects.items():
            for name, text in zip(ids[part], some, strict=True):
                for item in text.split("; ") if text else ():
                    named.setdefault(item.rpartition(" ")[0], []).append(name)
        frequent = sorted(named, key=lambda word: (-len(named[word]), word))[:_MOST_WORDS]
        self.chips["Objects"] = {word: named[word] for word in frequent if len(named[word]) > 1}


def about(known: Mapping[str, str]) -> str:
    """Return what is known of a picture in plain words, with how sure each answer is.

    Args:
        known: text of each column; empty where nothing is known.

    >>> about({"made": "0.06", "objects": "tabby 0.62; tiger cat 0.21", "face": "0.98", "faces": "2"})
    'natural 0.94 · tabby 0.62, tiger cat 0.21 · 2 faces 0.98'
    """
    answers = [_answer(*_ANSWERS[kind][1:], float(known[kind])) for kind in (MADE, WRITING) if known.get(kind)]
    answers.append(known.get("objects", "").replace("; ", ", "))
    if known.get("face"):
        number, p = int(known["faces"]), float(known["face"])
        counted = f"{number} face{'s' if number > 1 else ''} {p:.2f}"
        none = f"no face {1 - p:.2f}" if p <= _NO_FACE else f"perhaps a face {p:.2f}"
        answers.append(counted if number else none)
    if known.get("words"):
        answers.append(f"it reads: {known['words']}")
    return " · ".join(filter(None, answers))


def _answer(yes: str, no: str, p: float) -> str:
    """Return one of two answers, with its probability; p is that of yes."""
    if round(1 - p, 2) >= SURE:
        return f"{no} {1 - p:.2f}"
    return f"{'' if p >= SURE else 'perhaps '}{yes} {p:.2f}"


def find_facets(data: ImageFolder, parts: Sequence[PartName]) -> Facets:
    """Return the facets that features of pictures tell, and a second look where the data ask for one; no label is read.

    Args:
        data: set up.
        parts: of the data that the run assigned.
    """
    facets = Facets()
    ids = {part: [str(name) for name in data.part(part).ids] for part in parts}
    _add_kinds_and_objects(facets, data, ids)
    for features in data.looks:
        found = data.look_again(features, {name for names in ids.values() for name in names})
        if isinstance(features, Faces):
            facets.add_faces(found, ids)
        else:
            facets.add_words({name: to_text(row) for name, row in found.items()}, ids)
    return facets


def _add_kinds_and_objects(facets: Facets, data: ImageFolder, ids: Mapping[PartName, Sequence[str]]) -> None:
    """Add what follows from the words that the features know; nothing where they know none."""
    kinds: dict[str, dict[PartName, list[float]]] = {}
    objects: dict[PartName, list[str]] = {part: [] for part in ids}
    for name in ids:
        part = data.part(name)
        for start in range(0, len(part), _ROWS_AT_ONCE):
            x = part.take(np.arange(start, min(start + _ROWS_AT_ONCE, len(part))))
            known = data.features.words(x)
            if known is None:
                return
            words, drawing = torch.from_numpy(known[1]), data.features.block(x, "drawing")
            objects[name] += objects_of(words, known[0])
            for kind, p in kinds_of(words, known[0], None if drawing is None else torch.from_numpy(drawing)).items():
                kinds.setdefault(kind, {part: [] for part in ids})[name] += p.tolist()
    for kind, probability in kinds.items():
        facets.add_kind(kind, probability, ids)
    facets.add_objects(objects, ids)
