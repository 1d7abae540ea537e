"""A card for each cluster: its size, how sure its samples are, and what they look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.data.datamodule import ClusteringData
from deepcluster_pl.evaluation.metrics import known_labels
from deepcluster_pl.evaluation.predictions import Prediction
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.reporting.figures.centers import decoded_centers
from deepcluster_pl.reporting.html_report.data_uri import data_uri, jpeg_uri
from deepcluster_pl.reporting.html_report.representatives import central, doubtful, most_frequent
from deepcluster_pl.reporting.html_report.typical_features import MOST_FEATURES, Feature, typical_features
from deepcluster_pl.utils.image_layout import is_image
from deepcluster_pl.utils.random import sample_rows

_CENTRAL, _DOUBTFUL, _FEATURES, _LABELS = 12, 6, 6, 3
_PICTURES, _ROWS, _NAMELESS = 1000, 20_000, 100


@dataclass(frozen=True)
class Member:
    """A sample that is shown: its id, its share in its cluster, and its picture where it is one."""

    name: str
    share: float
    picture: str | None


@dataclass(frozen=True)
class Card:
    """What is shown of a cluster.

    Attributes:
        number: from 0.
        color: on the map.
        size: fitted samples.
        share: of all fitted samples.
        confidence: mean share of its samples in it.
        labels: its most frequent labels and their shares.
        central: in its middle.
        doubtful: that nearly went elsewhere.
        features: typical of it, where samples are rows of a table.
        center: what its center decodes to, as a picture.
    """

    number: int
    color: str
    size: int
    share: float
    confidence: float
    labels: list[tuple[str, float]]
    central: list[Member]
    doubtful: list[Member]
    features: list[Feature]
    center: str | None


def cards(
    data: ClusteringData, method: ClusteringModule, prediction: Prediction, colors: Sequence[str], seed: int
) -> list[Card]:
    """A card for each cluster that holds samples, the largest first.

    Args:
        data: its fitted part is shown.
        method: whose centers are decoded, where its decoder belongs to them.
        prediction: of the fitted part.
        colors: K of them.
        seed: decides the rows that typical features are measured on, at most 20,000.
    """
    part, shape = data.part("fit"), data.input_shape
    clusters, confidence = prediction.clusters.numpy(), prediction.confidence.numpy()
    n_clusters = len(colors)
    as_pictures = is_image(shape)
    features: list[list[Feature]] = [[] for _ in colors]
    if not as_pictures and data.n_features <= (_NAMELESS if part.feature_names is None else MOST_FEATURES):
        rows = sample_rows(len(part), _ROWS, seed)
        names = part.feature_names or [f"column {i}" for i in range(data.n_features)]
        x = part.take(rows).reshape(len(rows), -1)
        features = typical_features(x, clusters[rows], n_clusters, names, _FEATURES)
    centers = decoded_centers(method) if as_pictures else None
    most = max(2, min(_CENTRAL, _PICTURES // max(1, n_clusters)))

    def member(row: int) -> Member:
        picture = data_uri(part.take(np.array([row]))[0]) if as_pictures else None
        if (thumbnail := data.thumbnail("fit", row)) is not None:
            picture = jpeg_uri(thumbnail)  # what the sample was measured of
        return Member(str(part.ids[row]), float(confidence[row]), picture)

    made = []
    for k, color in enumerate(colors):
        here = clusters == k
        if here.any():
            made.append(Card(
                k, color, int(here.sum()), float(here.mean()), float(confidence[here].mean()),
                _labels(part.labels, here), [member(row) for row in central(prediction, k, most)],
                [member(row) for row in doubtful(prediction, k, min(_DOUBTFUL, most))], features[k],
                data_uri(centers[k]) if centers is not None else None,
            ))  # fmt: skip
    return sorted(made, key=lambda card: -card.size)


def _labels(labels: NDArray[Any] | None, here: NDArray[np.bool_]) -> list[tuple[str, float]]:
    if labels is None:
        return []
    own = labels[here]
    own = own[known_labels(own)]
    return most_frequent(own.astype(str), _LABELS) if len(own) else []
