"""Free text: how often words occur (tf-idf), in a few components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from deepcluster_pl.data.tables.casts import as_text
from deepcluster_pl.data.tables.encoders.base import Encoder, Fact, cell_error, column_names, refuse_gaps
from deepcluster_pl.data.tables.frame import Frame

_MOST_WORDS, _MOST_COMPONENTS, _MOST_CHARACTERS = 1000, 12, 20_000
_MOST_WORDS_ALONE, _MOST_COMPONENTS_ALONE, _MOST_COMMON = 5000, 50, 0.5
"""Limits where the texts are the only column; words that more than this share of texts hold are left out then."""
_ENOUGH = 50
"""Above this many texts, words of a single one are left out."""


class FreeText(Encoder):
    """A column of sentences.

    Args:
        column: its name.
        words: W words that are counted.
        idf: inverse document frequency (W,) of each.
        components: directions (C, W) that texts are projected onto.
        middle: mean direction (C,) of the fitted texts, where they are the only column: then rows have length 1, so
            that distances are those of cosines, and a text without known words gets this one. None beside others.
    """

    kind = "text"

    def __init__(
        self,
        column: str,
        words: list[str],
        idf: list[float],
        components: list[list[float]],
        middle: list[float] | None = None,
    ) -> None:
        self.columns = [column]
        self.words = words
        self.idf = np.array(idf, dtype=np.float64)
        self.components = np.array(components, dtype=np.float64)
        if self.idf.shape != (len(words),) or self.components.ndim != 2 or self.components.shape[1] != len(words):
            raise ValueError("words, idf and components do not fit together")
        self.middle = None if middle is None else np.array(middle, dtype=np.float64)
        if self.middle is not None and self.middle.shape != (len(self.components),):
            raise ValueError("middle does not fit the components")

    @classmethod
    def fit(cls, frame: Frame, rows: NDArray[np.int64], column: str, is_alone: bool = False) -> FreeText:
        """Count the words of the fitted rows, and find the components."""
        texts = [cell[:_MOST_CHARACTERS] for cell in as_text(frame.column(column)).take(rows).cells()]
        most_words = _MOST_WORDS_ALONE if is_alone else _MOST_WORDS
        try:
            counted, vectorizer = _count(texts, most_words, leaves_out_common=is_alone)
        except ValueError as error:
            place = int(rows[0]) if len(rows) else 0
            raise cell_error(frame, column, place, "no words", "text; leave the column out") from error
        words = [str(word) for word in vectorizer.get_feature_names_out()]
        most_components = _MOST_COMPONENTS_ALONE if is_alone else _MOST_COMPONENTS
        n_components = min(most_components, len(words) - 1, len(texts) - 1)
        if n_components < 1:
            return cls(column, words, vectorizer.idf_.tolist(), np.eye(len(words))[:1].tolist())
        svd = TruncatedSVD(n_components, random_state=0).fit(counted)
        components = svd.components_.round(6)
        middle = _unit_rows(_unit_rows(counted @ components.T).mean(axis=0, keepdims=True))[0] if is_alone else None
        return cls(column, words, vectorizer.idf_.tolist(), components.tolist(), middle)

    @property
    def features(self) -> list[str]:
        """Return a name for each component, with its strongest words."""
        names = []
        for i, row in enumerate(self.components):
            strongest = [self.words[j] for j in np.argsort(-np.abs(row))[:2]]
            names.append(f"{self.columns[0]} [{i}: {' '.join(strongest)}]")
        return names

    @property
    def blocks(self) -> list[tuple[int, float]]:
        """Return one block for all components beside other columns, or else one for each."""
        return [(0 if self.middle is None else i, 1.0) for i in range(len(self.components))]

    def encode(self, frame: Frame, refuses_gaps: bool) -> NDArray[np.float64]:
        """Return the components (N, C) of each text; a gap has no words."""
        codes, levels = as_text(frame.column(self.columns[0]))
        if refuses_gaps:
            refuse_gaps(frame, self.columns[0], codes < 0)
        vectorizer = TfidfVectorizer(vocabulary=self.words, sublinear_tf=True)
        vectorizer.idf_ = self.idf
        if not len(levels):
            empty = np.zeros(len(self.components)) if self.middle is None else self.middle
            return np.tile(empty, (len(codes), 1))
        x = vectorizer.transform([cell[:_MOST_CHARACTERS] for cell in levels.tolist()]) @ self.components.T
        x = np.asarray(np.vstack([x, np.zeros((1, x.shape[1]))])[codes])
        if self.middle is None:
            return x
        x[~x.any(axis=1)] = self.middle
        return _unit_rows(x)

    def describe(self, x: NDArray[np.float64], x_of_all: NDArray[np.float64]) -> list[Fact]:
        """Return the words that the rows use more often than all do, as far as the components show it."""
        spread = x_of_all.std(axis=0)
        step = x.mean(axis=0) - x_of_all.mean(axis=0)
        difference = float(np.linalg.norm(step) / max(float(np.linalg.norm(spread)), 1e-12))
        weights = step @ self.components
        more = [self.words[j] for j in np.argsort(-weights)[:3] if weights[j] > 0]
        if not more:
            return []
        name = f"{self.columns[0]}: {more[0]}" if self.middle is None else ", ".join(more)
        return [Fact(self.columns[0], ", ".join(more), "", difference, name)]

    def to_json(self) -> dict[str, Any]:
        """Return what the encoder knows."""
        return {
            "kind": self.kind, "columns": self.columns, "words": self.words, "idf": self.idf.round(6).tolist(),
            "components": self.components.tolist(),
            "middle": None if self.middle is None else self.middle.round(9).tolist(),
        }  # fmt: skip

    @classmethod
    def from_json(cls, node: Mapping[str, Any]) -> FreeText:
        """Return the encoder that `to_json` described."""
        words = [str(word) for word in node["words"]]
        return cls(column_names(node)[0], words, node["idf"], node["components"], node.get("middle"))


def _count(texts: list[str], most_words: int, leaves_out_common: bool) -> tuple[Any, TfidfVectorizer]:
    """Return tf-idf values (N, W) of texts and what computed them; raise `ValueError` where no word is left."""
    many = len(texts) > _ENOUGH
    most_common = _MOST_COMMON if leaves_out_common and many else 1.0
    vectorizer = TfidfVectorizer(
        max_features=most_words, min_df=2 if many else 1, max_df=most_common, sublinear_tf=True
    )  # fmt: skip
    return vectorizer.fit_transform(texts), vectorizer


def _unit_rows(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide each row by its length; a row of zeros stays."""
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(x / np.where(lengths > 0, lengths, 1.0))
