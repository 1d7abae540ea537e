"""Make the card of each cluster: its size, how sure its assignments are, and some of its samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.evaluation.metrics import known_labels
from deepcluster_pl.evaluation.outliers import NO_GROUP
from deepcluster_pl.evaluation.predictions import Prediction
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.reporting.figures.centers import decode_centers
from deepcluster_pl.reporting.html_report.data_uri import image_uri, jpeg_uri
from deepcluster_pl.reporting.html_report.typical_features import (
    MOST_FEATURES,
    TypicalFeature,
    find_typical_columns,
    find_typical_features,
)
from deepcluster_pl.reporting.palette import OUTSIDE
from deepcluster_pl.reporting.representatives import central_members, doubtful_members
from deepcluster_pl.utils.image_layout import is_image
from deepcluster_pl.utils.random import sample_rows

_CENTRAL, _DOUBTFUL, _FEATURES, _LABELS = 12, 6, 6, 3
_MOST_PICTURES, _MOST_ROWS, _MOST_UNNAMED_FEATURES = 1000, 20_000, 100
_MOST_CHARACTERS = 300  # of one name


@dataclass(frozen=True)
class Member:
    """A sample on a card.

    Attributes:
        name: its id.
        probability: of its cluster.
        picture: data URI; None where samples are no images.
        excerpt: the beginning of its text; None where samples are no texts.
    """

    name: str
    probability: float
    picture: str | None
    excerpt: str | None = None


@dataclass(frozen=True)
class Card:
    """Facts about a cluster.

    Attributes:
        number: from 0; -1 of the samples in no group, which are no cluster.
        color: the same as on the map.
        size: fitted samples.
        share: of all fitted samples.
        confidence: mean probability of its samples.
        labels: its most frequent labels and their shares.
        central: samples nearest to the mean of its embeddings.
        doubtful: samples that nearly belong to another cluster.
        features: typical of it, where samples are rows of a table.
        center: data URI of its decoded center.
    """

    number: int
    color: str
    size: int
    share: float
    confidence: float
    labels: list[tuple[str, float]]
    central: list[Member]
    doubtful: list[Member]
    features: list[TypicalFeature]
    center: str | None

    @property
    def title(self) -> str:
        """Return the name of the cluster in a heading."""
        return f"Cluster {self.number}" if self.number != NO_GROUP else "In no group"


def make_cards(
    data: ClusteringData, method: ClusteringModule, prediction: Prediction, colors: Sequence[str], seed: int,
    has_centers: bool = True,
) -> list[Card]:  # fmt: skip
    """Return a card for each cluster that holds samples, the largest first; that of samples in no group is the last.

    Args:
        data: its fitted part is shown.
        method: its centers are decoded, where its decoder was trained with them.
        prediction: of the fitted part.
        colors: one for each of the K clusters.
        seed: decides the rows, at most 20,000, that typical features are computed from.
        has_centers: whether clusters are those of the method, whose centers are shown.
    """
    part = data.part("fit")
    clusters, confidence = prediction.clusters.numpy(), prediction.confidence.numpy()
    has_pictures = is_image(data.input_shape)
    features = _features(data, clusters, len(colors), seed) if not has_pictures else [[] for _ in colors]
    centers = decode_centers(method) if has_pictures and has_centers else None
    make_member = _member_maker(data, confidence, has_pictures)
    # A page of many clusters shows fewer samples of each
    most = max(2, min(_CENTRAL, _MOST_PICTURES // max(1, len(colors))))
    cards = []
    for k, color in (*enumerate(colors), (NO_GROUP, OUTSIDE)):
        is_member = clusters == k
        if is_member.any():
            cards.append(Card(
                number=k, color=color, size=int(is_member.sum()), share=float(is_member.mean()),
                confidence=float(confidence[is_member].mean()), labels=_labels(part.labels, is_member),
                central=[make_member(row) for row in central_members(prediction, k)[:most]],
                doubtful=[make_member(row) for row in doubtful_members(prediction, k, min(_DOUBTFUL, most))],
                features=features[k] if k >= 0 else [],
                center=image_uri(centers[k]) if centers is not None and k >= 0 else None,
            ))  # fmt: skip
    return sorted(cards, key=lambda card: (card.number == NO_GROUP, -card.size))


def _member_maker(data: ClusteringData, confidence: NDArray[np.float32], has_pictures: bool) -> Callable[[int], Member]:
    """Return a function that makes the member at a row of the fitted part."""
    part = data.part("fit")

    def make_member(row: int) -> Member:
        picture = None
        if (thumbnail := data.thumbnail("fit", row)) is not None:
            picture = jpeg_uri(thumbnail)  # shows more than the sample, which may be numbers measured from it
        elif has_pictures:
            picture = image_uri(part.take(np.array([row]))[0])
        name, excerpt = str(part.ids[row])[:_MOST_CHARACTERS], data.excerpt("fit", row)
        return Member(name, float(confidence[row]), picture, excerpt)

    return make_member


def _features(
    data: ClusteringData, clusters: NDArray[np.int64], n_clusters: int, seed: int
) -> list[list[TypicalFeature]]:
    """Return each cluster's typical features; none where a table has too many columns to read."""
    part = data.part("fit")
    if data.n_features > (_MOST_UNNAMED_FEATURES if part.feature_names is None else MOST_FEATURES):
        return [[] for _ in range(n_clusters)]
    rows = sample_rows(len(part), _MOST_ROWS, seed)
    if data.preparation is not None:
        typical = find_typical_columns(data.preparation, part.take(rows), clusters[rows], n_clusters, _FEATURES)
        return [[_shortened(feature) for feature in features] for features in typical]
    names = [name[:_MOST_CHARACTERS] for name in part.feature_names or []] or [
        f"column {i}" for i in range(data.n_features)
    ]
    x = part.take(rows).reshape(len(rows), -1)
    return find_typical_features(x, clusters[rows], n_clusters, names, _FEATURES)


def _shortened(feature: TypicalFeature) -> TypicalFeature:
    """Return a feature with texts of a length that a page can show."""
    name, value, of_all = (text[:_MOST_CHARACTERS] for text in (feature.name, feature.value, feature.of_all))
    return TypicalFeature(name, value, of_all, feature.difference)


def most_frequent(labels: NDArray[np.str_], most: int) -> list[tuple[str, float]]:
    """Return the most frequent labels and their shares.

    >>> most_frequent(np.array(["a", "b", "a"]), 1)
    [('a', 0.6666666666666666)]
    """
    names, counts = np.unique(labels, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:most]
    return [(str(names[i])[:_MOST_CHARACTERS], float(counts[i] / len(labels))) for i in order]


def _labels(labels: NDArray[Any] | None, is_member: NDArray[np.bool_]) -> list[tuple[str, float]]:
    """Return the most frequent known labels of a cluster's samples."""
    if labels is None:
        return []
    own = labels[is_member]
    own = own[known_labels(own)]
    return most_frequent(own.astype(str), _LABELS) if len(own) else []
