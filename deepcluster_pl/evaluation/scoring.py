"""Scores of a run, and the files that hold them: scores.json and assignments.csv."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepcluster_pl.data.datamodule import ClusteringData, PartName
from deepcluster_pl.evaluation.metrics import label_scores, separation_scores, size_scores
from deepcluster_pl.evaluation.predictions import Partition, Predictions
from deepcluster_pl.evaluation.projection import Places
from deepcluster_pl.functional import partition_bic
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.provenance import versions
from deepcluster_pl.utils.random import sample_rows

SCHEMA = 1
_SEPARATION_ROWS = 5000
_BIC_DIMENSIONS = 64
Blocks = dict[PartName, dict[str, Any] | None]


class Scorer:
    """Scores partitions of one data set, all in the same space: the prepared input.

    Args:
        data: whose parts, and labels, are scored.
        n_clusters: K.
        seed: decides the rows that silhouette and Davies-Bouldin are measured on, at most 5,000.
        code: pretrained embeddings (N, D) of the fitted part, on which the BIC of each of its partitions is measured.
    """

    def __init__(self, data: ClusteringData, n_clusters: int, seed: int, code: Tensor) -> None:
        self.data = data
        self.n_clusters = n_clusters
        self.seed = seed
        self.code = code
        self._inputs: dict[PartName, NDArray[np.float32]] = {}

    def block(self, name: PartName, clusters: NDArray[np.int64]) -> dict[str, Any]:
        """All scores of one part."""
        rows = sample_rows(len(clusters), _SEPARATION_ROWS, self.seed)
        if name not in self._inputs:
            self._inputs[name] = self.data.prepared(name, rows)
        return {
            "n": len(clusters),
            **label_scores(self.data.part(name).labels, clusters),
            **separation_scores(self._inputs[name], clusters[rows]),
            **size_scores(clusters, self.n_clusters),
            "bic": self._bic(clusters) if name == "fit" else None,
        }

    def _bic(self, clusters: NDArray[np.int64]) -> float | None:
        """None where the code is too wide for a covariance matrix of its own in each cluster."""
        if self.code.shape[1] > _BIC_DIMENSIONS:
            return None
        return partition_bic(self.code.cpu(), torch.from_numpy(clusters))

    def blocks(self, partition: Partition | None) -> Blocks:
        """Scores of both parts; None for a part without samples, or without a partition."""
        found: Blocks = {"fit": None, "holdout": None}
        for name in self.data.parts if partition is not None else []:
            assert partition is not None
            found[name] = self.block(name, partition[name])
        return found


def objective(scores: dict[str, Any] | None, metric: str, uses_labels: bool) -> float:
    """The number of the fitted part that a sweeper sees; a failed, collapsed or unscored run gets the worst."""
    block = (scores or {}).get("fit") or {}
    value = block.get(metric)
    if value is None or block.get("collapsed"):
        return math.inf if metric == "davies_bouldin" else -math.inf
    return float(value)


def protocol(data: ClusteringData) -> dict[str, Any]:
    """Which samples were fitted, and which only scored."""
    sizes = {f"n_{name}": len(data.part(name)) for name in ("fit", "holdout")}
    return {
        "subset": vars(data.subset),
        "holdout": data.holdout,
        "split": data.split,
        "seed": data.seed,
        "scale": data.scale,
        **sizes,
    }


def compose(
    identity: dict[str, Any],
    circumstances: dict[str, Any],
    data: ClusteringData,
    scorer: Scorer,
    final: Partition,
    started: Partition,
    baselines: dict[str, Any],
) -> dict[str, Any]:
    """Content of scores.json.

    Args:
        identity: method, seed, number of clusters, what ended it.
        circumstances: seconds, machine, command, commit, published figures.
        data: what was clustered.
        scorer: scores every partition in the same way.
        final: the method's partition.
        started: the start's.
        baselines: `protocol`, how k-means was run, and its partitions `kmeans_raw` of the input and `kmeans_code` of
            the pretrained code; None for one that would repeat the method.
    """
    blocks: dict[str, Any] = {
        "start": scorer.blocks(started),
        "baselines": {
            "protocol": baselines["protocol"],
            "kmeans_raw": scorer.blocks(baselines["kmeans_raw"]),
            "kmeans_code": scorer.blocks(baselines["kmeans_code"]),
        },
    }
    return {
        "schema": SCHEMA,
        "data": data.name,
        "protocol": protocol(data),
        "versions": versions(),
        **identity,
        **circumstances,
        **{str(part): block for part, block in scorer.blocks(final).items()},
        **blocks,
    }


def save_scores(folder: Path, scores: dict[str, Any]) -> None:
    """Write scores.json, every key always there, null where unknown."""
    with atomic_write(folder / "scores.json") as file:
        json.dump(scores, file, indent=2, allow_nan=False)


def save_assignments(folder: Path, data: ClusteringData, predictions: Predictions, places: Places) -> None:
    """Write assignments.csv: id, part, cluster, confidence, label where known, and x, y of its place on the map."""
    has_labels = data.part("fit").labels is not None
    with atomic_write(folder / "assignments.csv") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "part", "cluster", "confidence", *(["label"] if has_labels else []), "x", "y"])
        for name, prediction in predictions.items():
            part = data.part(name)
            clusters, shares = prediction.clusters.numpy(), prediction.confidence.numpy()  # no list of N objects
            for i, (cluster, confidence) in enumerate(zip(clusters, shares, strict=True)):
                label = [part.labels[i]] if part.labels is not None else []
                x, y = places[name][i]
                writer.writerow([part.ids[i], name, int(cluster), f"{confidence:.4f}", *label, f"{x:.4f}", f"{y:.4f}"])
