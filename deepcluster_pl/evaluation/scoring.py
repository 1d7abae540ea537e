"""Score partitions, and write scores.json and assignments.csv."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepcluster_pl.data.base import ClusteringData, PartName
from deepcluster_pl.evaluation.metrics import label_scores, separation_scores, size_scores
from deepcluster_pl.evaluation.predictions import Partition, Predictions
from deepcluster_pl.evaluation.projection import Places
from deepcluster_pl.functional import partition_bic
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.random import sample_rows

SCHEMA = 1
_SEPARATION_ROWS = 5000
_BIC_DIMENSIONS = 64
Blocks = dict[PartName, dict[str, Any] | None]


class Scorer:
    """Scores of partitions of one data set, all in the same space: the prepared input.

    Args:
        data: parts and labels.
        n_clusters: K.
        seed: draws the rows, at most 5,000, for silhouette and Davies-Bouldin.
        code: pretrained embeddings (N, D) of the fitted part, for the BIC of its partitions.
    """

    def __init__(self, data: ClusteringData, n_clusters: int, seed: int, code: Tensor) -> None:
        self.data = data
        self.n_clusters = n_clusters
        self.seed = seed
        self.code = code
        self._inputs: dict[PartName, NDArray[np.float32]] = {}

    def block(
        self, name: PartName, clusters: NDArray[np.int64], kept: NDArray[np.bool_] | None = None
    ) -> dict[str, Any]:
        """Return all scores of one part.

        Args:
            name: the part.
            clusters: cluster (N,) of each of its samples.
            kept: whether each sample (N,) is scored; None = all are. There is no BIC of some.

        Returns:
            Scores by name; those against labels are None where there are none.
        """
        rows = sample_rows(len(clusters), _SEPARATION_ROWS, self.seed)
        if name not in self._inputs:
            self._inputs[name] = self.data.prepared(name, rows)
        chosen = np.ones(len(clusters), dtype=bool) if kept is None else kept
        labels = self.data.part(name).labels
        return {
            "n": int(chosen.sum()),
            **label_scores(None if labels is None else labels[chosen], clusters[chosen]),
            **separation_scores(self._inputs[name][chosen[rows]], clusters[rows][chosen[rows]]),
            **size_scores(clusters[chosen], self.n_clusters),
            "bic": self._bic(clusters) if name == "fit" and kept is None else None,
        }

    def _bic(self, clusters: NDArray[np.int64]) -> float | None:
        """Return the BIC; None where embeddings are too wide for a covariance matrix of each cluster."""
        if self.code.shape[1] > _BIC_DIMENSIONS:
            return None
        return partition_bic(self.code.cpu(), torch.from_numpy(clusters))

    def blocks(self, partition: Partition | None) -> Blocks:
        """Return scores of both parts; None for a part without samples, or without a partition."""
        found: Blocks = {"fit": None, "holdout": None}
        for name in self.data.parts if partition is not None else []:
            assert partition is not None
            found[name] = self.block(name, partition[name])
        return found


@dataclass(frozen=True)
class Scores:
    """Content of scores.json; every key is always there, null where its value is unknown.

    Attributes:
        schema: version of this file's format.
        data: name of the data.
        protocol: which samples were fitted, and which only scored.
        versions: of the packages that decide a result.
        method: name of the method.
        seed: seed of the run.
        n_clusters: K.
        n_clusters_found: estimate of K; None where it was typed.
        kept: `start` where the fit was worse, so that its start is the result, else `fit`; None without a fit or with
            guard=false.
        guard: information about neighbors of `start` and `fit` and the `error` of their difference, in nats.
        stopped: reason for the end of the fit: `tol`, `max_steps`, `max_time`, or `none` for a method without a fit.
        steps: optimizer steps of the fit.
        seconds: time of `pretrain`, `start`, `fit` and `student`.
        machine: accelerator, precision, processes, threads, processor.
        command: as typed.
        commit: of the code.
        published: scores that others published for this method, by part.
        fit: scores of the fitted part.
        holdout: scores of the held-out part.
        start: scores of the initial partition, by part.
        teacher: scores of the method's own partition, by part, where a student learned it; else None.
        baselines: `protocol`: restarts and rows; scores of k-means' partitions `kmeans_raw` of the input and
            `kmeans_code` of the pretrained embeddings, of `pca_gmm`, a mixture on components, and of `graph`.
        candidates: with method=auto, a row for each recipe that was tried: `name`, what to `type`, `seconds`, whether
            it was `chosen`, the `problem` that put it out of the choice, criteria, and `acc`, `nmi`, `ari`; else None.
        choice: with method=auto, the `name` of the chosen one and the `sureness` of the choice, 0 to 1; else None.
        criteria: what can be said without labels of the method, its start and its baselines; see `row_criteria`.
        verdict: the groups found, how they compare, whether to trust them, and the command to type next, in words.
        outliers: samples in no group: the `rule`, their `number` and `share` among fitted ones, clusters `emptied` by
            them, and scores of the other samples, by part; else None. All other scores count every sample.
        warnings: products that could not be made, such as a figure or an entry of a cache, with reasons.
    """

    schema: int = field(default=SCHEMA, kw_only=True)
    data: str
    protocol: dict[str, Any]
    versions: dict[str, str]
    method: str
    seed: int
    n_clusters: int
    n_clusters_found: dict[str, Any] | None
    kept: str | None
    guard: dict[str, Any] | None
    stopped: str
    steps: int
    seconds: dict[str, float | None]
    machine: dict[str, Any]
    command: str
    commit: str | None
    published: dict[str, Any] | None
    fit: dict[str, Any] | None
    holdout: dict[str, Any] | None
    start: Blocks
    teacher: Blocks | None
    baselines: dict[str, Any]
    criteria: dict[str, Any]
    candidates: list[dict[str, Any]] | None = None
    choice: dict[str, Any] | None = None
    verdict: dict[str, Any] | None = None
    outliers: dict[str, Any] | None = None
    warnings: list[str] = field(default_factory=list)


def objective(scores: dict[str, Any] | None, metric: str) -> float:
    """Return the number that a sweeper sees: a metric of the fitted part.

    Args:
        scores: content of scores.json; None for a job that failed.
        metric: its key.

    Returns:
        The metric; the worst value, plus or minus infinity, for a job that failed, collapsed or has no such score.
    """
    block = (scores or {}).get("fit") or {}
    value = block.get(metric)
    if value is None or block.get("collapsed"):
        return math.inf if metric == "davies_bouldin" else -math.inf
    return float(value)


def protocol(data: ClusteringData) -> dict[str, Any]:
    """Return which samples were fitted, and which only scored."""
    sizes = {f"n_{name}": len(data.part(name)) for name in ("fit", "holdout")}
    return {
        "subset": vars(data.subset),
        "holdout": data.holdout,
        "split": data.split,
        "seed": data.seed,
        "scale": data.scale,
        **sizes,
    }


def save_scores(path: Path, scores: dict[str, Any]) -> None:
    """Write scores as JSON; a number that is not finite would be no JSON and is refused."""
    with atomic_write(path) as file:
        json.dump(scores, file, indent=2, allow_nan=False)


def save_assignments(
    path: Path,
    data: ClusteringData,
    predictions: Predictions,
    places: Places,
    names: Sequence[str] | None = None,
    nearest: Partition | None = None,
    facets: Mapping[str, Mapping[PartName, Sequence[str]]] | None = None,
) -> None:
    """Write a table with id, part, cluster, confidence, label where known, and the place x, y on the map.

    Args:
        path: the CSV file.
        data: ids and labels.
        predictions: clusters and confidence of each part; cluster -1 is that of a sample in no group.
        places: coordinates (N, 2) of each part.
        names: suggested name of each cluster, which make one more column; None where there are none.
        nearest: cluster of every sample, also of those in no group, in the column `nearest_cluster`; None = no such
            column.
        facets: more columns: text for every sample, by name and part; None = no such columns.
    """
    has_labels = data.part("fit").labels is not None
    with atomic_write(path) as file:
        writer = csv.writer(file)
        more = facets or {}
        named = [*(["name"] if names else []), *(["nearest_cluster"] if nearest else []), *more]
        writer.writerow(["id", "part", "cluster", "confidence", *(["label"] if has_labels else []), "x", "y", *named])
        for name, prediction in predictions.items():
            part = data.part(name)
            clusters, shares = prediction.clusters.numpy(), prediction.confidence.numpy()  # no list of N objects
            for i, (cluster, confidence) in enumerate(zip(clusters, shares, strict=True)):
                label = [part.labels[i]] if part.labels is not None else []
                x, y = places[name][i]
                called: list[Any] = [names[cluster] if cluster >= 0 else ""] if names else []
                called += [int(nearest[name][i])] if nearest else []
                called += [texts[name][i] for texts in more.values()]
                row = [part.ids[i], name, int(cluster), f"{confidence:.4f}", *label, f"{x:.4f}", f"{y:.4f}", *called]
                writer.writerow(row)
