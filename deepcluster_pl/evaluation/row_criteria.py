"""Criteria without labels for each row of a run's table: the method, its start and its baselines."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.evaluation.candidate_choice import rank_candidates
from deepcluster_pl.evaluation.judged_features import judged_features
from deepcluster_pl.evaluation.predictions import Partition
from deepcluster_pl.functional.consensus_choice import pairwise_rand_indices

OWN = "method"
"""Key of the run's own partition."""


def row_criteria(data: ClusteringData, partitions: dict[str, Partition | None], n_clusters: int, seed: int) -> Any:
    """Judge the partitions of a run's table without labels, on the fitted part.

    Args:
        data: the data.
        partitions: of each row, by its key in scores.json; the run's own is `method`, its initialization `start`.
        n_clusters: K.
        seed: decides rows and bootstrap.

    Returns:
        A block of scores.json: `rows` has `share`, `error`, `information`, `gap`, `gap_error`, `together` and
        `collapsed` of each row; `agreement` is the mean adjusted Rand index of the method with each baseline, or
        None; `n` and `n_neighbors` say what it was computed on.
    """
    there = {name: partition["fit"] for name, partition in partitions.items() if partition is not None}
    ranking = rank_candidates(
        lambda rows: judged_features(data, rows), list(there.values()), [n_clusters] * len(there), seed
    )
    keys = ("share", "error", "information", "gap", "gap_error", "together", "collapsed")
    rows = {
        name: {key: getattr(criteria, key) for key in keys}
        for name, criteria in zip(there, ranking.criteria, strict=True)
    }
    baselines = [clusters for name, clusters in there.items() if name not in (OWN, "start")]
    adjusted = pairwise_rand_indices([there[OWN], *baselines])[1][0, 1:]
    agreement = float(np.mean(adjusted)) if baselines else None
    return {"rows": rows, "agreement": agreement, "n": ranking.n, "n_neighbors": ranking.n_neighbors}
