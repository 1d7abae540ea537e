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
from deepcluster_pl.evaluation.projection import NAMES, Map, Places, map_coordinates
from deepcluster_pl.evaluation.scoring import Scorer, Scores, protocol, save_assignments, save_scores
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.initialization.n_clusters import ClusterNumberEstimate
from deepcluster_pl.methods.serialization import model_description, save_model
from deepcluster_pl.reporting.figures import save_figures
from deepcluster_pl.reporting.gallery import save_gallery
from deepcluster_pl.reporting.html_report import ReportContent, save_report
from deepcluster_pl.reporting.palette import palette
from deepcluster_pl.reporting.tensorboard import save_tensorboard
from deepcluster_pl.runs.guard import Guarded
from deepcluster_pl.utils.provenance import machine, versions
from deepcluster_pl.utils.run_folder import RunFolder
from deepcluster_pl.utils.run_warnings import RunWarnings


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
        guarded: whether fit or start was kept; None where there was no fit, or no guard.
        stopped: reason for the end of the fit: `tol`, `max_steps`, `max_time`, or `none` for a method without a fit.
        steps: optimizer steps of the fit.
        seconds: time of each stage; None for one that was not needed.
        device: device of the training.
        precision: precision of training steps.
        world_size: number of processes.
        uses_tensorboard: whether TensorBoard's files were written during training.
        warnings: collects failures that do not end the run.
    """

    cfg: DictConfig
    estimate: ClusterNumberEstimate | None
    data: ClusteringData
    method: ClusteringModule
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
    kmeans = Baselines(cfg.baselines, cfg.n_clusters, cfg.seed, Path(cfg.cache_dir).expanduser(), trained.warnings)
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
        kept=trained.guarded.kept if trained.guarded else None,
        guard=trained.guarded.record() if trained.guarded else None,
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
        warnings=list(trained.warnings.texts),
    )


def write_results(folder: RunFolder, trained: Trained, scores: dict[str, Any]) -> None:
    """Write model, assignments and scores into a run folder, then figures and pages.

    A figure or a page that fails is a warning on the console and in scores.json, since the scores do not depend on it.

    Args:
        folder: the run folder.
        trained: a training that has ended.
        scores: content of scores.json; its `warnings` are filled in here.

    Raises:
        UserError: model, assignments or scores cannot be written.
    """
    cfg, data, method, predictions = trained.cfg, trained.data, trained.method, trained.predictions
    features = to_plain(cfg.data).get("features")
    description = model_description(method, to_plain(cfg.net), to_plain(cfg.method), features, trained.samples())
    save_model(method, description, folder.model)
    kind, places = _map_of(predictions, cfg.map, cfg.seed, trained.warnings)
    save_assignments(folder.assignments, data, predictions, places)
    warnings = trained.warnings
    scores["warnings"] = written = list(warnings.texts)
    save_scores(folder.scores, scores)
    # From here on nothing ends the run
    save_figures(folder.path, data, method, predictions, places["fit"], kind, warnings)
    if trained.uses_tensorboard:
        with warnings.attempt(f"{folder.tensorboard.name}/"):
            save_tensorboard(folder.path, data, predictions["fit"], cfg.seed)
    if isinstance(data, ImageFolder):
        with warnings.attempt(folder.gallery.name):
            title = f"{data.name}: {cfg.n_clusters} groups"
            save_gallery(folder.path, data, predictions, places, palette(cfg.n_clusters), title)
    scores["warnings"] = list(warnings.texts)
    with warnings.attempt(folder.report.name):
        save_report(folder.path, ReportContent(scores, data, method, predictions, places["fit"], kind))
    if warnings.texts != written:
        scores["warnings"] = list(warnings.texts)
        with warnings.attempt(f"the list of warnings in {folder.scores.name}"):
            save_scores(folder.scores, scores)


def _map_of(predictions: Predictions, kind: Map, seed: int, warnings: RunWarnings) -> tuple[Map, Places]:
    """Return the map that was asked for; where UMAP fails, the map by PCA, with a warning."""
    if kind != "pca":
        with warnings.attempt(f"the map by {NAMES[kind]}"):
            return kind, map_coordinates(predictions, kind, seed)
    return "pca", map_coordinates(predictions, "pca", seed)
