"""Names of groups: of pictures by the words that their features know, of a table by its typical columns."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.data.sources.image_folder import ImageFolder
from deepcluster_pl.data.tables.names import one_line
from deepcluster_pl.evaluation.predictions import Predictions
from deepcluster_pl.functional.naming import group_names, word_scores
from deepcluster_pl.utils.random import sample_rows

_ROWS_AT_ONCE = 2048
_MOST_ROWS, _MOST_FEATURES, _MOST_CHARACTERS = 20_000, 5_000, 40
_TYPICAL, _BESIDE, _MOST_WORDS = 0.5, 0.5, 2
"""A column names a group from half a standard deviation on, and beside a clearer one from half of its difference."""


def suggest_names(data: ClusteringData, predictions: Predictions, n_clusters: int) -> list[str] | None:
    """Return a name for each cluster, or None where neither features nor columns have words; no label is read.

    Args:
        data: set up.
        predictions: of each of its parts.
        n_clusters: K.
    """
    if data.preparation is not None and data.n_features <= _MOST_FEATURES:
        return name_by_columns(data, predictions["fit"].clusters.numpy(), n_clusters)
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


def name_by_columns(data: ClusteringData, clusters: NDArray[np.int64], n_clusters: int) -> list[str]:
    """Return a name for each cluster of a table, made of the columns that differ most from all rows; no two are equal.

    Args:
        data: a table, set up.
        clusters: cluster (N,) of every fitted sample.
        n_clusters: K.

    Returns:
        Names such as `high income, plan business`; a cluster without a typical column is called `group <number>`.
    """
    preparation, part = data.preparation, data.part("fit")
    assert preparation is not None
    rows = sample_rows(len(part), _MOST_ROWS, 0)
    x, of_rows = part.take(rows).astype(np.float64), clusters[rows]
    typical = 0.0 if set(preparation.kinds.values()) == {"text"} else _TYPICAL  # words alone always name a group
    names: list[str] = []
    for k in range(n_clusters):
        members = x[of_rows == k]
        facts = preparation.describe(members, x) if len(members) else []
        facts = sorted((fact for fact in facts if fact.words), key=lambda fact: -abs(fact.difference))
        least = max(typical, _BESIDE * abs(facts[0].difference)) if facts else 0.0
        words = [one_line(fact.words)[:_MOST_CHARACTERS] for fact in facts if abs(fact.difference) >= least]
        name = ", ".join(words[:_MOST_WORDS]) or f"group {k}"
        names.append(f"{name} ({k})" if name in names else name)
    return names
