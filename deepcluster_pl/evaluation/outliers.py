"""Find samples that no group explains: they are much farther from their neighbors than the rest of their group."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from deepcluster_pl.data.base import ClusteringData, PartName
from deepcluster_pl.evaluation.predictions import Partition, Predictions
from deepcluster_pl.evaluation.scoring import Scorer
from deepcluster_pl.functional import nearest_neighbors, nearest_rows
from deepcluster_pl.functional.outlyingness import explained_shares, outlyingness, usual_spacing, with_whole_groups
from deepcluster_pl.utils.progress import counted
from deepcluster_pl.utils.random import sample_rows

Rule = float | Literal["auto"]
NO_GROUP = -1
"""The cluster of a sample in no group, in every table and page."""
THRESHOLD = 4.0
"""Spreads above the usual distance from which `auto` takes a sample out of its group."""
_NEIGHBORS, _COMPONENTS = 5, 50
_MOST_ROWS, _FEWEST_ROWS, _MOST_VALUES = 20_000, 2000, 2**25


@dataclass(frozen=True)
class Outliers:
    """Samples in no group.

    Attributes:
        rule: `auto`, or the share of the fitted samples that was asked for.
        flagged: whether each sample (N,) is in no group, by part.
        threshold: spreads above the usual distance from which a sample is flagged.
        n_rows: fitted samples among which neighbors were looked for.
    """

    rule: Rule
    flagged: dict[PartName, NDArray[np.bool_]]
    threshold: float
    n_rows: int

    def number(self, part: PartName) -> int:
        """Return the number of samples of a part that are in no group."""
        return int(self.flagged[part].sum()) if part in self.flagged else 0

    def shown(self, predictions: Predictions) -> Predictions:
        """Return predictions in which samples in no group have cluster -1."""
        return {
            name: replace(found, clusters=found.clusters.masked_fill(torch.from_numpy(self.flagged[name]), NO_GROUP))
            for name, found in predictions.items()
        }

    def record(self, scorer: Scorer, partition: Partition) -> dict[str, Any]:
        """Return the block of scores.json: how many samples, clusters that held no others, and scores of the rest.

        Args:
            scorer: of the data.
            partition: nearest cluster of every sample.
        """
        number, kept = self.number("fit"), {name: ~flagged for name, flagged in self.flagged.items()}
        before, after = (np.unique(partition["fit"][rows]) for rows in (slice(None), kept["fit"]))
        blocks = {name: scorer.block(name, partition[name], rows) for name, rows in kept.items() if rows.any()}
        return {
            "rule": self.rule,
            "number": number,
            "share": number / len(self.flagged["fit"]),
            "emptied": np.setdiff1d(before, after).tolist(),
            "fit": blocks.get("fit"),
            "holdout": blocks.get("holdout"),
        }


def find_outliers(data: ClusteringData, partition: Partition, n_clusters: int, rule: Rule, seed: int) -> Outliers:
    """Find the samples that are much farther from their five nearest neighbors than is usual in their group.

    Neighbors are looked for among at most 50 principal components of the prepared input, so the answer does not depend
    on the net; the distance to them is that in the whole input. Where there are many samples, neighbors are those in a
    seeded sample of the fitted ones. No label is read.

    Args:
        data: set up.
        partition: cluster of every sample of each part.
        n_clusters: K.
        rule: `auto` flags what is more than `THRESHOLD` spreads above the usual distance; a share flags as many of the
            fitted samples, the most outlying first.
        seed: decides the sample, and the components.

    Returns:
        The flagged samples of each part; held-out ones are measured by what is usual among fitted ones.
    """
    n = len(partition["fit"])
    most = min(_MOST_ROWS, max(_FEWEST_ROWS, _MOST_VALUES // data.n_features))
    rows = sample_rows(n, most, seed)
    near = _Near(data.prepared("fit", rows), seed)
    clusters, distances = partition["fit"], np.zeros(n)
    distances[rows] = near.own_distances()
    others = np.setdiff1d(np.arange(n), rows, assume_unique=True)
    distances[others] = near.distances(data, "fit", others)
    usual = usual_spacing(distances, clusters, explained_shares(near.x, clusters[rows], n_clusters))
    scores = outlyingness(distances, clusters, usual)
    if rule == "auto":
        threshold, flagged = THRESHOLD, with_whole_groups(scores > THRESHOLD, clusters)
    else:
        flagged = _largest(scores, round(rule * n))
        threshold = float(scores[flagged].min()) if flagged.any() else np.inf
    found: dict[PartName, NDArray[np.bool_]] = {"fit": flagged}
    if "holdout" in partition:
        away = near.distances(data, "holdout", np.arange(len(partition["holdout"])))
        found["holdout"] = outlyingness(away, partition["holdout"], usual) > threshold
    return Outliers(rule, found, threshold, len(rows))


def _largest(scores: NDArray[np.float64], number: int) -> NDArray[np.bool_]:
    """Return which `number` scores are the largest; of equal ones, the first."""
    chosen = np.zeros(len(scores), dtype=bool)
    chosen[np.argsort(-scores, kind="stable")[:number]] = True
    return chosen


class _Near:
    """Distances to the nearest of some samples.

    Args:
        x: those samples (M, F).
        seed: decides the components.
    """

    def __init__(self, x: NDArray[np.float32], seed: int) -> None:
        self.x = x
        self._pca = None
        if x.shape[1] > _COMPONENTS and len(x) > _COMPONENTS:
            self._pca = PCA(_COMPONENTS, svd_solver="randomized", random_state=seed).fit(x)
        self._places = self._project(x)

    def own_distances(self) -> NDArray[np.float64]:
        """Return the root mean squared distance (M,) of each of these samples to its nearest others."""
        most = min(_NEIGHBORS, len(self.x) - 1)
        if most < 1:
            return np.zeros(len(self.x))
        return self._mean_distances(self.x, nearest_neighbors(self._places, most).numpy())

    def distances(self, data: ClusteringData, name: PartName, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the same for other samples (N,), some rows at a time."""
        found = np.zeros(len(rows))
        most = min(_NEIGHBORS, len(self.x))
        starts = range(0, len(rows), data.rows_at_once)
        for start in counted(starts, len(starts)):
            batch = data.prepared(name, rows[start : start + data.rows_at_once])
            near = nearest_rows(self._project(batch), self._places, most).numpy()
            found[start : start + len(batch)] = self._mean_distances(batch, near)
        return found

    def _project(self, x: NDArray[np.float32]) -> torch.Tensor:
        """Return the places that neighbors are looked for in."""
        return torch.from_numpy(np.ascontiguousarray(x if self._pca is None else self._pca.transform(x), np.float32))

    def _mean_distances(self, x: NDArray[np.float32], near: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return the root mean squared distance (N,) of samples to given neighbors, one neighbor at a time."""
        total = np.zeros(len(x))
        for column in near.T:
            for start in range(0, len(x), 2048):
                piece = slice(start, start + 2048)
                total[piece] += np.square(x[piece] - self.x[column[piece]]).sum(axis=1, dtype=np.float64)
        return np.asarray(np.sqrt(total / near.shape[1]))
