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


class FreeText(Encoder):
    """A column of sentences.

    Args:
        column: its name.
        words: W words that are counted.
        idf: inverse document frequency (W,) of each.
        components: directions (C, W) that texts are projected onto.
    """

    kind = "text"

    def __init__(self, column: str, words: list[str], idf: list[float], components: list[list[float]]) -> None:
        self.columns = [column]
        self.words = words
        self.idf = np.array(idf, dtype=np.float64)
        self.components = np.array(components, dtype=np.float64)
        if self.idf.shape != (len(words),) or self.components.ndim != 2 or self.components.shape[1] != len(words):
            raise ValueError("words, idf and components do not fit together")

    @classmethod
    def fit(cls, frame: Frame, rows: NDArray[np.int64], column: str) -> FreeText:
        """Count the words of the fitted rows, and find the components."""
        texts = [cell[:_MOST_CHARACTERS] for cell in as_text(frame.column(column)).take(rows).cells()]
        vectorizer = TfidfVectorizer(max_features=_MOST_WORDS, min_df=2 if len(texts) > 50 else 1, sublinear_tf=True)
        try:
            counted = vectorizer.fit_transform(texts)
        except ValueError as error:
            place = int(rows[0]) if len(rows) else 0
            raise cell_error(frame, column, place, "no words", "text; leave the column out") from error
        words = [str(word) for word in vectorizer.get_feature_names_out()]
        n_components = min(_MOST_COMPONENTS, len(words) - 1, len(texts) - 1)
        if n_components < 1:
            return cls(column, words, vectorizer.idf_.tolist(), np.eye(len(words))[:1].tolist())
        svd = TruncatedSVD(n_components, random_state=0).fit(counted)
        return cls(column, words, vectorizer.idf_.tolist(), svd.components_.round(6).tolist())

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
        """Return one block for all components."""
        return [(0, 1.0)] * len(self.components)

    def encode(self, frame: Frame, refuses_gaps: bool) -> NDArray[np.float64]:
        """Return the components (N, C) of each text; a gap has no words."""
        codes, levels = as_text(frame.column(self.columns[0]))
        if refuses_gaps:
            refuse_gaps(frame, self.columns[0], codes < 0)
        vectorizer = TfidfVectorizer(vocabulary=self.words, sublinear_tf=True)
        vectorizer.idf_ = self.idf
        if not len(levels):
            return np.zeros((len(codes), len(self.components)))
        x = vectorizer.transform([cell[:_MOST_CHARACTERS] for cell in levels.tolist()]) @ self.components.T
        return np.asarray(np.vstack([x, np.zeros((1, x.shape[1]))])[codes])

    def describe(self, x: NDArray[np.float64], x_of_all: NDArray[np.float64]) -> list[Fact]:
        """Return the words that the rows use more often than all do, as far as the components show it."""
        spread = x_of_all.std(axis=0)
        step = x.mean(axis=0) - x_of_all.mean(axis=0)
        difference = float(np.linalg.norm(step) / max(float(np.linalg.norm(spread)), 1e-12))
        weights = step @ self.components
        more = [self.words[j] for j in np.argsort(-weights)[:3] if weights[j] > 0]
        return [Fact(self.columns[0], ", ".join(more), "", difference, f"{self.columns[0]}: {more[0]}")] if more else []

    def to_json(self) -> dict[str, Any]:
        """Return what the encoder knows."""
        return {
            "kind": self.kind, "columns": self.columns, "words": self.words, "idf": self.idf.round(6).tolist(),
            "components": self.components.tolist(),
        }  # fmt: skip

    @classmethod
    def from_json(cls, node: Mapping[str, Any]) -> FreeText:
        """Return the encoder that `to_json` described."""
        return cls(column_names(node)[0], [str(word) for word in node["words"]], node["idf"], node["components"])
