"""One run, from a config to its folder: prepare, pretrain, initialize, fit, predict, evaluate, write."""

from __future__ import annotations

import functools
from dataclasses import asdict
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from rich.console import Console

from deepcluster_pl.data.samples import Table
from deepcluster_pl.errors import UserError
from deepcluster_pl.evaluation.predictions import assign_all, embed_all, partition_from, predict_all
from deepcluster_pl.functional.work_device import work_on
from deepcluster_pl.methods.auto import AUTO_METHOD
from deepcluster_pl.reporting.console_summary import print_summary, print_verdict
from deepcluster_pl.reporting.figures import save_reconstructions
from deepcluster_pl.runs.candidates import train_candidates
from deepcluster_pl.runs.conclusion import conclude
from deepcluster_pl.runs.distortions import choose_distortions
from deepcluster_pl.runs.failures import friendly_errors
from deepcluster_pl.runs.guard import keep_better, remember_start
from deepcluster_pl.runs.launch import distributed_run
from deepcluster_pl.runs.outlier_stage import take_out_outliers
from deepcluster_pl.runs.pretraining_stage import pretrain
from deepcluster_pl.runs.recipe import Recipe
from deepcluster_pl.runs.results import evaluate, write_results
from deepcluster_pl.runs.stages import announce, choose_n_clusters, fit, initialize, prepare
from deepcluster_pl.runs.student_stage import train_student
from deepcluster_pl.runs.trained import Teacher, Trained
from deepcluster_pl.runs.trainer import StageTrainer
from deepcluster_pl.utils.distributed import is_rank_zero
from deepcluster_pl.utils.numerics import float32_arithmetic
from deepcluster_pl.utils.progress import doing, heartbeat
from deepcluster_pl.utils.provenance import commit
from deepcluster_pl.utils.run_folder import RunFolder


def run(cfg: DictConfig, folder: Path, command: str, console: Console) -> dict[str, Any]:
    """Carry out a recipe in a folder.

    Args:
        cfg: checked config.
        folder: output folder. If it holds an interrupted run, the run resumes from its checkpoints.
        command: the command as typed, for the record.
        console: prints progress and the final table.

    Returns:
        Content of scores.json; empty in all processes but rank 0.

    Raises:
        UserError: the recipe cannot be carried out, or a file cannot be written.
        InterruptedRun: a signal arrived; the run can be resumed.
    """
    code_version = commit()  # now, because the checkout may change during the run
    with float32_arithmetic(), friendly_errors(folder):
        recipe = Recipe.from_config(cfg)
        stages = make_stages(recipe, folder, console)
        with distributed_run(stages.world_size, cfg, folder, command), heartbeat(stages.report), work_on(stages.device):
            trained = carry_out(recipe, stages)
            if not is_rank_zero():
                return {}
            trained = take_out_outliers(trained)
            announce(trained.data, "scores of")
            with doing("scores and simple methods beside them"):
                scores = asdict(evaluate(trained, command, code_version))
            conclude(scores, trained.predictions["fit"], stages.folder.report)
            with doing("writing tables, figures and pages"):
                write_results(stages.folder, trained, scores)
            print_summary(console, scores)
            print_verdict(console, scores, stages.folder)
            return scores


def run_on_samples(cfg: DictConfig, samples: Table, folder: Path, console: Console) -> Trained:
    """Carry out a recipe on samples in memory.

    Args:
        cfg: checked config; its data source is not loaded.
        samples: the samples.
        folder: an empty folder for checkpoints and logs.
        console: prints progress.

    Returns:
        The trained method and its predictions.

    Raises:
        UserError: the recipe cannot be carried out on these samples.
    """
    with float32_arithmetic():
        recipe = Recipe.from_config(cfg, samples)
        stages = make_stages(recipe, folder, console)
        if stages.world_size > 1:
            raise UserError(f"found {stages.world_size} devices; samples in memory take one, type trainer.devices=1")
        with heartbeat(stages.report), work_on(stages.device):
            return take_out_outliers(carry_out(recipe, stages, draws_figures=False))


def make_stages(recipe: Recipe, folder: Path, console: Console) -> StageTrainer:
    """Return the trainer of a recipe's stages.

    Args:
        recipe: the recipe.
        folder: folder for checkpoints and logs.
        console: prints progress.

    Returns:
        The trainer.
    """
    loggers, interval = recipe.make_loggers, recipe.cfg.checkpoint_interval
    return StageTrainer(recipe.make_trainer, loggers, RunFolder(folder), console, interval, recipe.stepping)


def carry_out(recipe: Recipe, stages: StageTrainer, draws_figures: bool = True) -> Trained:
    """Train a recipe; method=auto trains several and returns the one that it chooses.

    Args:
        recipe: the recipe.
        stages: trains each stage.
        draws_figures: see `train`.

    Returns:
        The trained method and its predictions.
    """
    if recipe.cfg.method.name == AUTO_METHOD:
        return train_candidates(recipe, stages, functools.partial(train, draws_figures=False))
    return train(recipe, stages, draws_figures)


def train(recipe: Recipe, stages: StageTrainer, draws_figures: bool = True) -> Trained:
    """Carry out all stages, in every process of a run alike.

    Args:
        recipe: the recipe.
        stages: trains each stage.
        draws_figures: whether reconstructions are drawn after pretraining, since a fit may change the decoder.

    Returns:
        The trained method and its predictions.
    """
    ready = prepare(recipe, stages)
    recipe = choose_distortions(recipe, stages, ready)
    net = pretrain(recipe, stages, ready)
    recipe, estimate = choose_n_clusters(recipe, stages, ready, net)
    method = recipe.make_method(net).to(stages.device)
    with doing("embedding the samples"):
        embeddings = embed_all(method, ready.data)
    if draws_figures and recipe.cfg.pretrain.module is not None and is_rank_zero():
        with ready.warnings.attempt("figures/reconstructions.png"):
            save_reconstructions(stages.folder.path, ready.data, net)
    start = initialize(recipe, stages, ready, method, embeddings["fit"])
    changed = start.code_matrix is not None
    weights, stopped, steps = None, "none", 0
    if method.learns:
        started = partition_from(assign_all(method, embed_all(method, ready.data) if changed else embeddings))
        weights = remember_start(method) if recipe.cfg.get("guard", False) else None
        stopped, steps = fit(recipe, stages, ready, method)
    announce(ready.data, "predicting")
    with doing("predicting"):
        guarded, predictions = None, predict_all(method, ready.data)
    if not method.learns:
        started = partition_from(predictions)
    if weights is not None:
        guarded, predictions = keep_better(method, ready.data, weights, started, predictions, recipe.cfg.seed)
        started = partition_from(predictions) if guarded.kept == "start" else started  # the same, in float64
        stages.console.print(guarded.describe(), highlight=False, soft_wrap=True)
    teacher, student = None, train_student(recipe, stages, ready, predictions)
    if student is not None:
        teacher, method, predictions = Teacher(method, predictions), student, predict_all(student, ready.data)
    return Trained(
        cfg=recipe.cfg, estimate=estimate, data=ready.data, method=method, teacher=teacher,
        clusterer=None if changed else recipe.clusterer, embeddings=embeddings, started=started,
        predictions=predictions, guarded=guarded, stopped=stopped, steps=steps, seconds=ready.seconds,
        device=stages.device, precision=stages.precision, world_size=stages.world_size,
        uses_tensorboard=stages.make_loggers.get("tensorboard") is not None, warnings=ready.warnings,
    )  # fmt: skip
