"""Names of groups of pictures, from the words that their features know; no label is read."""

from __future__ import annotations

import numpy as np
import torch

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.data.sources.image_folder import ImageFolder
from deepcluster_pl.evaluation.predictions import Predictions
from deepcluster_pl.functional.naming import group_names, word_scores

_ROWS_AT_ONCE = 2048


def suggest_names(data: ClusteringData, predictions: Predictions, n_clusters: int) -> list[str] | None:
    """Return a name for each cluster, or None where the samples are no pictures or their features know no words.

    Args:
        data: set up.
        predictions: of each of its parts.
        n_clusters: K.
    """
    if not isinstance(data, ImageFolder):
        return None
    vocabulary: list[str] = []
    probabilities, clusters = [], []
    for name, prediction in predictions.items():
        part = data.part(name)
        for start in range(0, len(part), _ROWS_AT_ONCE):
            rows = np.arange(start, min(start + _ROWS_AT_ONCE, len(part)))
            known = data.features.words(part.take(rows))
            if known is None:
                return None
            vocabulary = known[0]
            probabilities.append(torch.from_numpy(known[1]))
        clusters.append(prediction.clusters)
    return group_names(word_scores(torch.cat(probabilities), torch.cat(clusters), n_clusters), vocabulary)
