"""The stages of a run: prepare, choose the number of clusters, initialize, fit."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import torch
from pytorch_lightning import seed_everything
from torch import Tensor

from deepcluster_pl.config.fingerprints import fingerprint_of
from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.data.datamodule import StageData
from deepcluster_pl.data.kinds import shared_components
from deepcluster_pl.errors import UserError
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.initialization.cluster_number import ClusterNumberEstimate, too_few_samples
from deepcluster_pl.methods.initialization.graph_clusterer import GraphClusterer
from deepcluster_pl.methods.initialization.initial_clustering import Initialization, fit_initialization
from deepcluster_pl.methods.initialization.whitening import whitened
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.nets.embedding import embed_part
from deepcluster_pl.runs.recipe import Recipe
from deepcluster_pl.runs.resume_point import ResumePoint, find_resume_point
from deepcluster_pl.runs.trainer import StageTrainer
from deepcluster_pl.training.callbacks import TargetRefresh
from deepcluster_pl.utils.distributed import broadcast_from_rank_zero, is_rank_zero
from deepcluster_pl.utils.progress import doing
from deepcluster_pl.utils.random import sample_rows
from deepcluster_pl.utils.run_folder import RunFolder
from deepcluster_pl.utils.run_warnings import RunWarnings

_TIMED = ("pretrain", "start", "fit", "student")

_MANY = 5000
"""From this many samples on, a stage prints a line when it begins."""


@dataclass(frozen=True)
class Ready:
    """A run before its first stage.

    Attributes:
        data: loaded, checked, on its device.
        resume: results of an earlier run that replace work.
        fingerprint: hashes of the settings that weights of this run belong to.
        warnings: collects failures that do not end the run.
        seconds: time of each stage; None for one that was not needed.
    """

    data: ClusteringData
    resume: ResumePoint
    fingerprint: dict[str, str]
    warnings: RunWarnings
    seconds: dict[str, float | None] = field(default_factory=lambda: dict.fromkeys(_TIMED))


def prepare(recipe: Recipe, stages: StageTrainer) -> Ready:
    """Find the resume point, and load the samples onto the device.

    Args:
        recipe: the recipe.
        stages: knows device, folder and console.

    Returns:
        The run before its first stage.

    Raises:
        UserError: there is no such device, the samples are unusable, or a checkpoint belongs to other settings.
    """
    cfg, machine = recipe.cfg, stages.describe()
    resume = broadcast_from_rank_zero(lambda: find_resume_point(stages.folder, cfg.ckpt_path, cfg.pretrained))

    warnings = RunWarnings(stages.report, stages.folder.warnings if is_rank_zero() else None)
    recipe.data.report, recipe.data.warn = stages.report, warnings.add
    data = recipe.load_data()
    fingerprint = {"data": data.fingerprint(), **fingerprint_of(cfg)}
    resume.check_fingerprint(fingerprint)
    described = ""
    if not recipe.shares_data:
        broadcast_from_rank_zero(lambda: data.save_records(stages.folder.path))
        described = f"{data.describe()}; {machine}"
    for line in filter(None, (described, resume.remark)):
        stages.report(line)
    if not recipe.shares_data:
        data.move_to(stages.device)
    return Ready(data, resume, fingerprint, warnings)


def announce(data: ClusteringData, stage: str, n: int | None = None) -> None:
    """Print a line at the beginning of a stage that takes long because there are many samples.

    Args:
        data: the data, which knows where lines are printed.
        stage: what begins.
        n: number of samples that it works on; None = those of the fitted part.
    """
    n = len(data.part("fit")) if n is None else n
    if n >= _MANY:
        data.report(f"{stage} {n:,} samples")


def choose_n_clusters(
    recipe: Recipe, stages: StageTrainer, ready: Ready, net: Autoencoder
) -> tuple[Recipe, ClusterNumberEstimate | None]:
    """Estimate the number of clusters in the net's embeddings, where none was typed.

    Args:
        recipe: the recipe.
        stages: knows device and folder.
        ready: the run so far; its resume point may hold an earlier estimate.
        net: the pretrained net.

    Returns:
        The recipe with a number of clusters, and the estimate; None where the number was typed, or where there are too
        few samples, which get the smallest number and a warning.
    """
    choose, start = recipe.choose, ready.resume.start
    if choose is None:
        return recipe, None
    n = len(ready.data.part("fit"))
    if n < choose.least:
        taken = f"{choose.smallest} clusters are taken; type n_clusters=<number> for more"
        ready.warnings.add(f"{too_few_samples(n, choose.least)}: {taken}", lasts=False)
        return recipe.with_n_clusters(choose.smallest), None
    earlier = RunFolder(start.parent).n_clusters if start else None
    z = torch.empty(0) if earlier else embed_part(net.to(stages.device), ready.data, "fit")
    # On mixed columns themselves, neighbors share a category by chance: only what columns share is looked at
    n_components = None if earlier or recipe.cfg.pretrain.module else shared_components(ready.data, recipe.cfg.seed)
    with doing("looking for the number of clusters"):
        estimate: ClusterNumberEstimate = broadcast_from_rank_zero(
            lambda: ClusterNumberEstimate.load(earlier) if earlier else choose.find(z, n_components)
        )
    if is_rank_zero():
        estimate.save(stages.folder.n_clusters)
    stages.console.print(estimate.describe(), highlight=False, soft_wrap=True)
    return recipe.with_n_clusters(estimate.n_clusters), estimate


def initialize(
    recipe: Recipe, stages: StageTrainer, ready: Ready, method: ClusteringModule, z: Tensor
) -> Initialization:
    """Give the method its initial clusters, and whiten the net's embeddings where asked to.

    Args:
        recipe: the recipe.
        stages: knows folder and console.
        ready: the run so far; its resume point may hold an earlier initialization.
        method: the method, changed in place.
        z: embeddings (N, D) of the fitted part.

    Returns:
        The initialization, as it is stored in start.safetensors.

    Raises:
        UserError: the clusterer fails, or finds another number of clusters, or the earlier initialization belongs to
            other settings.
    """
    cfg, source = recipe.cfg, ready.resume.start
    seed_everything(cfg.seed, verbose=False)
    # Cluster a sample of the embeddings, on rank 0
    began = time.monotonic()
    rows = sample_rows(len(z), cfg.start_sample_size, cfg.seed)

    def make() -> Initialization:
        if source is not None:
            vouched_for = ready.resume.final or ready.resume.fit_from  # checked, and by the settings of the start too
            return Initialization.load(source, None if vouched_for else ready.fingerprint)
        announce(ready.data, f"start: {type(recipe.clusterer).__name__} clusters", len(rows))
        order = method.net.neighbor_order(ready.data) if isinstance(recipe.clusterer, GraphClusterer) else None
        if order is not None and order.remark:
            stages.console.print(f"net: {order.remark}", highlight=False, soft_wrap=True)
        with doing(f"start: {type(recipe.clusterer).__name__}"):
            start = fit_initialization(recipe.clusterer, z[rows], None if order is None else order.among(rows))
        return start if cfg.whiten is None else whitened(start, z[rows], cfg.whiten)

    start = broadcast_from_rank_zero(make)
    ready.seconds["start"] = time.monotonic() - began
    if len(start.centers) != method.n_clusters:
        raise UserError(f"start: found {len(start.centers)} clusters, expected n_clusters={method.n_clusters}")
    # Store the initialization, and give it to net and method
    if is_rank_zero():
        start.save(stages.folder.initialization, ready.fingerprint)
    if start.code_matrix is not None and start.code_shift is not None:
        method.net.change_code(start.code_matrix, start.code_shift)
    method.initialize(start)
    found_on = [f"found on {len(rows)} of {len(z)} samples"] if len(rows) < len(z) else []
    if text := "; ".join([*found_on, *filter(None, [start.describe()])]):
        stages.console.print(f"start: {text}", highlight=False, soft_wrap=True)
    return start


def fit(recipe: Recipe, stages: StageTrainer, ready: Ready, method: ClusteringModule) -> tuple[str, int]:
    """Train the method.

    Args:
        recipe: the recipe.
        stages: trains.
        ready: the run so far; its resume point may hold a fit.
        method: the method, trained in place.

    Returns:
        The reason for the end of the fit, `tol` (converged), `max_steps` or `max_time`, and the number of steps.

    Raises:
        UserError: a checkpoint does not fit, or the fit diverged.
        InterruptedRun: a signal arrived; last.ckpt is written.
    """
    cfg, final = recipe.cfg, ready.resume.final
    seed_everything(cfg.seed, verbose=False)
    # Take over a finished fit
    if final is not None:
        final.load_into(method)
        method.on_load_checkpoint(final.content)
        ready.seconds["fit"] = final.seconds
        converged = final.callback_state(TargetRefresh).get("converged", False)
        return _end_reason(converged, final.steps, cfg.fit.max_steps), final.steps
    # Or train
    data = StageData(ready.data, cfg.fit.batch_size, cfg.fit.shuffle, cfg.seed)
    limits = {"max_epochs": -1, "max_steps": cfg.fit.max_steps, "limit_val_batches": 0}
    resume_from, save_to = ready.resume.fit_from, stages.folder.final
    end = stages.train("fit", method, data, recipe.callbacks, ready.fingerprint, resume_from, save_to, **limits)
    method.to(stages.device)
    if text := method.describe_sizes():
        stages.console.print(f"fit: {text}", highlight=False, soft_wrap=True)
    ready.seconds["fit"] = end.seconds
    converged = any(isinstance(callback, TargetRefresh) and callback.converged for callback in recipe.callbacks)
    return _end_reason(converged, end.steps, cfg.fit.max_steps), end.steps


def _end_reason(converged: bool, steps: int, max_steps: int) -> str:
    """Return the reason for the end of a fit; before `max_steps` it is convergence or `trainer.max_time`."""
    return "tol" if converged else "max_steps" if steps >= max_steps else "max_time"
