"""The end of a training: the trained method, its predictions, and how they came about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from omegaconf import DictConfig
from torch import Tensor

from deepcluster_pl.config.nodes import to_plain
from deepcluster_pl.data.base import ClusteringData, PartName
from deepcluster_pl.evaluation.label_free import Neighborhood
from deepcluster_pl.evaluation.outliers import Outliers
from deepcluster_pl.evaluation.predictions import Partition, Predictions
from deepcluster_pl.methods.auto import AUTO_METHOD
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.initialization.cluster_number import ClusterNumberEstimate
from deepcluster_pl.methods.serialization import model_description
from deepcluster_pl.runs.guard import Guarded
from deepcluster_pl.utils.run_folder import RunFolder
from deepcluster_pl.utils.run_warnings import RunWarnings


@dataclass(frozen=True)
class Choice:
    """The candidates of method=auto, and the one it chose.

    Attributes:
        name: of the chosen candidate.
        candidates: a row for each candidate: name, seconds, criteria, and scores where there are labels.
        sureness: share of bootstrap draws of the samples in which the same candidate, or a nearly equal one, wins.
        folder: of the chosen candidate, with its checkpoints and curves.
        partitions: of every candidate that has one, by its name.
        neighborhood: neighbors of the fitted samples, which the candidates were judged by.
    """

    name: str
    candidates: list[dict[str, Any]]
    sureness: float
    folder: RunFolder
    partitions: dict[str, Partition]
    neighborhood: Neighborhood

    def summary(self) -> dict[str, Any]:
        """Return the block of scores.json."""
        return {"name": self.name, "sureness": self.sureness}


@dataclass(frozen=True)
class Teacher:
    """The method that a student learned from.

    Attributes:
        method: as trained.
        predictions: its predictions.
    """

    method: ClusteringModule
    predictions: Predictions


@dataclass(frozen=True)
class Trained:
    """A training that has ended.

    Attributes:
        cfg: config as carried out, in which `n_clusters` is a number.
        estimate: estimate of that number; None where it was typed.
        data: clustered samples.
        method: as trained; the student where there is one.
        teacher: the method that the student learned from; None without a student.
        clusterer: that of the initialization; None where it was fitted to whitened embeddings, not to `embeddings`.
        embeddings: pretrained embeddings (N, D) of each part, from before the initialization.
        started: partition of the initialization.
        predictions: final predictions of the method.
        guarded: whether fit or start is the result; None where there was no fit, or no guard.
        stopped: reason for the end of the fit: `tol`, `max_steps`, `max_time`, or `none` for a method without a fit.
        steps: optimizer steps of the fit.
        seconds: time of each stage; None for one that was not needed.
        device: device of the training.
        precision: precision of training steps.
        world_size: number of processes.
        uses_tensorboard: whether TensorBoard's files were written during training.
        warnings: collects failures that do not end the run.
        choice: with method=auto, how it was chosen; `cfg` and `method` are those of the chosen candidate.
        outliers: samples in no group; None where none were looked for. `predictions` have their nearest group.
    """

    cfg: DictConfig
    estimate: ClusterNumberEstimate | None
    data: ClusteringData
    method: ClusteringModule
    teacher: Teacher | None
    clusterer: Any
    embeddings: dict[PartName, Tensor]
    started: Partition
    predictions: Predictions
    guarded: Guarded | None
    stopped: str
    steps: int
    seconds: dict[str, float | None]
    device: torch.device
    precision: str
    world_size: int
    uses_tensorboard: bool
    warnings: RunWarnings
    choice: Choice | None = None
    outliers: Outliers | None = None

    @property
    def name(self) -> str:
        """Return the name of the run's method, which of method=auto is not that of the chosen candidate."""
        return AUTO_METHOD if self.choice else self.method.name

    @property
    def shown(self) -> Predictions:
        """Return the predictions for tables and pages, in which samples in no group have cluster -1."""
        return self.outliers.shown(self.predictions) if self.outliers else self.predictions

    def description(self) -> dict[str, Any]:
        """Return the content of model.json, which is of the student where there is one."""
        cfg = to_plain(self.cfg)
        nodes = cfg["student"] if self.teacher else cfg
        features = cfg["data"].get("features")
        return model_description(self.method, nodes["net"], nodes["method"], features, self.samples())

    def samples(self) -> dict[str, Any]:
        """Return the type of raw samples, the names of their features, and the columns they are made from."""
        part, preparation = self.data.part("fit"), self.data.preparation
        return {
            "dtype": str(part.dtype),
            "feature_names": part.feature_names,
            "preparation": None if preparation is None else preparation.to_json(),
        }
