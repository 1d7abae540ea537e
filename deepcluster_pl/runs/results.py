"""The result of a training, its scores, and its files in the run folder."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from torch import Tensor

from deepcluster_pl.config.nodes import to_plain
from deepcluster_pl.data.base import ClusteringData, PartName
from deepcluster_pl.data.sources.image_folder import ImageFolder
from deepcluster_pl.evaluation.baselines import Baselines, baseline_partitions
from deepcluster_pl.evaluation.predictions import Partition, Predictions, partition_from
from deepcluster_pl.evaluation.projection import map_coordinates
from deepcluster_pl.evaluation.scoring import Scorer, Scores, protocol, save_assignments, save_scores
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.initialization.n_clusters import ClusterNumberEstimate
from deepcluster_pl.methods.serialization import model_description, save_model
from deepcluster_pl.reporting.figures import save_figures
from deepcluster_pl.reporting.gallery import save_gallery
from deepcluster_pl.reporting.html_report import ReportContent, save_report
from deepcluster_pl.reporting.palette import palette
from deepcluster_pl.reporting.tensorboard import save_tensorboard
from deepcluster_pl.utils.provenance import machine, versions
from deepcluster_pl.utils.run_folder import RunFolder


@dataclass(frozen=True)
class Trained:
    """A training that has ended.

    Attributes:
        cfg: config as carried out, in which `n_clusters` is a number.
        estimate: estimate of that number; None where it was typed.
        data: clustered samples.
        method: as trained.
        clusterer: that of the initialization; None where it was fitted to whitened embeddings, not to `embeddings`.
        embeddings: pretrained embeddings (N, D) of each part, from before the initialization.
        started: partition of the initialization.
        predictions: final predictions of the method.
        stopped: reason for the end of the fit: `tol`, `max_steps`, `max_time`, or `none` for a method without a fit.
        steps: optimizer steps of the fit.
        seconds: time of each stage; None for one that was not needed.
        device: device of the training.
        precision: precision of training steps.
        world_size: number of processes.
        uses_tensorboard: whether TensorBoard's files were written during training.
    """

    cfg: DictConfig
    estimate: ClusterNumberEstimate | None
    data: ClusteringData
    method: ClusteringModule
    clusterer: Any
    embeddings: dict[PartName, Tensor]
    started: Partition
    predictions: Predictions
    stopped: str
    steps: int
    seconds: dict[str, float | None]
    device: torch.device
    precision: str
    world_size: int
    uses_tensorboard: bool

    def samples(self) -> dict[str, Any]:
        """Return the type of raw samples and the names of their features, for model.json."""
        part = self.data.part("fit")
        return {"dtype": str(part.dtype), "feature_names": part.feature_names}


def evaluate(trained: Trained, command: str, code_version: str | None) -> Scores:
    """Score the final partition, the initial one and the baselines.

    Args:
        trained: a training that has ended.
        command: the command as typed, for the record.
        code_version: commit of the package, if known.

    Returns:
        Content of scores.json.
    """
    cfg, data, method = trained.cfg, trained.data, trained.method
    kmeans = Baselines(cfg.baselines, cfg.n_clusters, cfg.seed, Path(cfg.cache_dir).expanduser())
    on_input, on_embeddings = baseline_partitions(
        kmeans, data, method, trained.clusterer, trained.embeddings, trained.started
    )
    scorer = Scorer(data, cfg.n_clusters, cfg.seed, trained.embeddings["fit"])
    final = scorer.blocks(partition_from(trained.predictions))
    return Scores(
        data=data.name,
        protocol=protocol(data),
        versions=versions(),
        method=method.name,
        seed=cfg.seed,
        n_clusters=cfg.n_clusters,
        n_clusters_found=asdict(trained.estimate) if trained.estimate else None,
        stopped=trained.stopped,
        steps=trained.steps,
        seconds=trained.seconds,
        machine=machine(trained.device, trained.precision, trained.world_size),
        command=command,
        commit=code_version,
        published=(to_plain(cfg)["published"] or {}).get(method.name),
        fit=final["fit"],
        holdout=final["holdout"],
        start=scorer.blocks(trained.started),
        baselines={
            "protocol": kmeans.describe(len(data.part("fit"))),
            "kmeans_raw": scorer.blocks(on_input),
            "kmeans_code": scorer.blocks(on_embeddings),
        },
    )


def write_results(folder: RunFolder, trained: Trained, scores: dict[str, Any]) -> None:
    """Write model, assignments, figures, scores and pages into a run folder.

    Args:
        folder: the run folder.
        trained: a training that has ended.
        scores: content of scores.json.
    """
    cfg, data, method, predictions = trained.cfg, trained.data, trained.method, trained.predictions
    features = to_plain(cfg.data).get("features")
    description = model_description(method, to_plain(cfg.net), to_plain(cfg.method), features, trained.samples())
    save_model(method, description, folder.model)
    places = map_coordinates(predictions, cfg.map, cfg.seed)
    save_assignments(folder.assignments, data, predictions, places)
    save_figures(folder.path, data, method, predictions, places["fit"], cfg.map)
    if trained.uses_tensorboard:
        save_tensorboard(folder.path, data, predictions["fit"], cfg.seed)
    save_scores(folder.scores, scores)
    if isinstance(data, ImageFolder):
        title = f"{data.name}: {cfg.n_clusters} groups"
        save_gallery(folder.path, data, predictions, places, palette(cfg.n_clusters), title)
    save_report(folder.path, ReportContent(scores, data, method, predictions, places["fit"], cfg.map))
