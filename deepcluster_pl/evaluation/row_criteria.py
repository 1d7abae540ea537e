"""Criteria without labels for each row of a run's table: the method, its start and its baselines."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.evaluation.candidate_choice import rank_by_neighbors
from deepcluster_pl.evaluation.judged_features import judged_features
from deepcluster_pl.evaluation.label_free import Neighborhood, neighborhood
from deepcluster_pl.evaluation.predictions import Partition
from deepcluster_pl.functional.consensus_choice import pairwise_rand_indices

OWN = "method"
"""Key of the run's own partition."""


def judged_neighborhood(data: ClusteringData, seed: int) -> Neighborhood:
    """Find the neighbors that partitions of the fitted part are judged by.

    Args:
        data: the data, set up.
        seed: decides rows and bootstrap.
    """
    return neighborhood(lambda rows: judged_features(data, rows), len(data.part("fit")), seed)


def row_criteria(near: Neighborhood, partitions: dict[str, Partition | None], n_clusters: int) -> Any:
    """Judge the partitions of a run's table without labels, on the fitted part.

    Args:
        near: neighbors of the fitted part, see `judged_neighborhood`.
        partitions: of each row, by its key in scores.json; the run's own is `method`, its initialization `start`.
        n_clusters: K.

    Returns:
        A block of scores.json: `rows` has `share`, `error`, `information`, `gap`, `gap_error`, `together` and
        `collapsed` of each row, and `alike`, its adjusted Rand index with the method; `agreement` is the mean of that
        over the baselines, or None; `n` and `n_neighbors` say what it was computed on.
    """
    there = {name: partition["fit"] for name, partition in partitions.items() if partition is not None}
    ranking = rank_by_neighbors(near, list(there.values()), [n_clusters] * len(there))
    own = list(there).index(OWN)
    alike = pairwise_rand_indices(list(there.values()))[1][own]
    keys = ("share", "error", "information", "gap", "gap_error", "together", "collapsed")
    rows = {
        name: {key: getattr(criteria, key) for key in keys} | {"alike": float(index)}
        for name, criteria, index in zip(there, ranking.criteria, alike, strict=True)
    }
    of_baselines = [row["alike"] for name, row in rows.items() if name not in (OWN, "start")]
    agreement = float(np.mean(of_baselines)) if of_baselines else None
    return {"rows": rows, "agreement": agreement, "n": ranking.n, "n_neighbors": ranking.n_neighbors}
