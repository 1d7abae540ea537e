"""The student's stage: fresh nets learn the method's partition, round after round, each with its own checkpoint."""

from __future__ import annotations

import torch
from pytorch_lightning import seed_everything
from torch import Tensor

from deepcluster_pl.config.fingerprints import digest
from deepcluster_pl.config.instantiate import instantiate_all
from deepcluster_pl.config.nodes import to_plain
from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.data.datamodule import StageData
from deepcluster_pl.errors import UserError
from deepcluster_pl.evaluation.predictions import Predictions
from deepcluster_pl.functional import most_agreed, nearest_rows, neighbor_agreement
from deepcluster_pl.methods.student import Student
from deepcluster_pl.nets.embedding import embed_part
from deepcluster_pl.runs.distortions import FEWEST, student_distortions
from deepcluster_pl.runs.recipe import Recipe
from deepcluster_pl.runs.stages import Ready
from deepcluster_pl.runs.trainer import StageTrainer
from deepcluster_pl.training import Checkpoint
from deepcluster_pl.utils.distributed import broadcast_from_rank_zero
from deepcluster_pl.utils.progress import doing
from deepcluster_pl.utils.random import sample_rows
from deepcluster_pl.utils.run_folder import RunFolder

_MOST_NEIGHBORS = 100_000
"""Rows among which neighbors are looked for; a seeded sample where there are more."""


def train_student(recipe: Recipe, stages: StageTrainer, ready: Ready, taught: Predictions) -> Student | None:
    """Let a student learn the method's partition, in several rounds.

    Args:
        recipe: the recipe; its `student` may be null.
        stages: trains each round.
        ready: the run so far; its folder may hold rounds that are finished or interrupted.
        taught: predictions of the method.

    Returns:
        The student of the last round; None where none is wanted, or where there is nothing to learn from.

    Raises:
        UserError: a checkpoint does not fit, or the student diverged.
        InterruptedRun: a signal arrived; last.ckpt is written.
    """
    plan = recipe.cfg.get("student")
    if plan is None:
        return None
    cfg, z, clusters = recipe.cfg, taught["fit"].z.to(stages.device), taught["fit"].clusters
    fingerprint = {**ready.fingerprint, "student": digest(to_plain(plan), tuple(plan))}
    distort = student_distortions(recipe, stages, ready, clusters)
    # Neighbors are those of the method in every round: a student's own neighbors share its mistakes
    with doing("student: looking for neighbors"):
        neighbors = neighbors_of(z, plan.n_neighbors, cfg.seed)
    last: Student | None = None
    for number in range(1, plan.rounds + 1):
        # Choose the samples to learn from
        rows = chosen_rows(clusters, neighbors, plan.kept)
        if problem := _problem(clusters[rows]):
            return _stays(last, number, problem, stages)
        # Learn them with fresh weights
        seed_everything(cfg.seed, verbose=False)
        student = recipe.make_student()
        student.augment = distort or student.augment
        student.begin(number, clusters[rows])
        seconds = _train_or_load(student, number, rows, fingerprint, recipe, stages, ready)
        ready.seconds["student"] = (ready.seconds["student"] or 0.0) + seconds
        # The student's own partition is the next one to learn, unless clusters got lost
        learned = _clusters_of(student.to(stages.device), ready.data)
        if lost := n_clusters_of(clusters) - n_clusters_of(learned):
            return _stays(last, number, f"{lost} clusters are empty after round {number}", stages)
        last, clusters = student, learned
    return last


def n_clusters_of(clusters: Tensor) -> int:
    """Return the number of clusters that hold a sample.

    >>> n_clusters_of(torch.tensor([0, 2, 2]))
    2
    """
    return int((torch.bincount(clusters) > 0).sum())


def _clusters_of(student: Student, data: ClusteringData) -> Tensor:
    """Return the cluster (N,) of each fitted sample, in float32: the run's own predictions repeat the last ones."""
    with doing("student: assigning samples"):
        return student.assign_all(embed_part(student.net, data, "fit")).argmax(dim=1).cpu()


def neighbors_of(z: Tensor, n_neighbors: int, seed: int) -> Tensor:
    """Find the nearest other samples of each sample.

    Args:
        z: embeddings (N, D) that neighbors are found in.
        n_neighbors: neighbors of each sample, fewer where there are not as many samples.
        seed: decides the rows among which neighbors are looked for, where there are more than 100,000.

    Returns:
        Row numbers (N, n), on the CPU; n is 0 for a single sample.
    """
    n = len(z)
    among = torch.from_numpy(sample_rows(n, _MOST_NEIGHBORS, seed))
    n_neighbors = min(n_neighbors, len(among) - 1)
    if n_neighbors < 1:
        return torch.empty((n, 0), dtype=torch.long)
    # One more than asked, since a sample is its own neighbor where it is among those rows
    found = among[nearest_rows(z, z[among.to(z.device)], n_neighbors + 1).long().cpu()]
    others = found != torch.arange(n)[:, None]
    others[others.all(dim=1), -1] = False
    return found[others].view(n, n_neighbors)


def chosen_rows(clusters: Tensor, neighbors: Tensor, share: float) -> Tensor:
    """Choose the samples of a round: of every cluster the share whose neighbors agree most with them.

    Args:
        clusters: cluster (N,) of each sample.
        neighbors: row numbers (N, n) of each sample's neighbors.
        share: part of each cluster to choose.

    Returns:
        Row numbers (M,), in ascending order.
    """
    if not neighbors.shape[1]:
        return torch.arange(len(clusters))
    return most_agreed(clusters, neighbor_agreement(clusters, neighbors), share)


def even_batch(n: int, size: int) -> int:
    """Return a batch size near to the one asked for, with batches of nearly equal size and none of a single sample.

    Batch normalization takes no single sample, and a short batch disturbs it.

    >>> even_batch(1000, 128), even_batch(130, 128), even_batch(40, 128)
    (125, 130, 40)
    """
    batch = -(-n // max(1, round(n / size)))
    while n % batch == 1 and batch < n:
        batch += 1
    return batch


def n_steps(n: int, batch: int, passes: int, least: int, most: int) -> int:
    """Return the optimizer steps of a round: so many passes over n samples, within bounds.

    >>> n_steps(1500, 125, 10, 300, 2500), n_steps(8500, 128, 10, 300, 2500), n_steps(59500, 128, 10, 300, 2500)
    (300, 670, 2500)
    """
    return max(least, min(most, passes * -(-n // batch)))


def _train_or_load(
    student: Student,
    number: int,
    rows: Tensor,
    fingerprint: dict[str, str],
    recipe: Recipe,
    stages: StageTrainer,
    ready: Ready,
) -> float:
    """Train a student on the chosen rows, or take over what an earlier run has trained of this round.

    Returns:
        Seconds of the training, interrupted parts included.
    """
    plan, folder, stage = recipe.cfg.student, stages.folder, RunFolder.student_stage(number)
    save_to, resume = folder.student(number), ready.resume.student_from
    finished = broadcast_from_rank_zero(lambda: Checkpoint.open(save_to) if save_to.is_file() else None)
    if finished is not None:
        if finished.stage != stage:
            raise UserError(f"{save_to}: found {finished.stage}, expected {stage}; delete the file to train it again")
        finished.check_fingerprint(fingerprint)
        finished.load_into(student)
        return finished.seconds
    if resume is not None and resume.stage == stage:
        resume.check_fingerprint(fingerprint)
    else:
        resume = None
    batch = even_batch(len(rows), plan.batch_size)
    steps = n_steps(len(rows), batch, plan.passes, plan.least_steps, plan.most_steps)
    data = StageData(ready.data, batch, shuffle=True, seed=recipe.cfg.seed, rows=rows.numpy())
    limits = {"max_epochs": -1, "max_steps": steps, "limit_val_batches": 0}
    end = stages.train(stage, student, data, instantiate_all(plan.callbacks), fingerprint, resume, save_to, **limits)
    student.to(stages.device)
    return end.seconds


def _problem(clusters: Tensor) -> str:
    """Return the reason why a student learns nothing from these clusters (M,); an empty string where it can."""
    if n_clusters_of(clusters) < 2:
        return "there is one cluster only"
    if len(clusters) < FEWEST:
        return f"it needs {FEWEST} samples whose neighbors agree, found {len(clusters)}"
    return ""


def _stays(last: Student | None, number: int, reason: str, stages: StageTrainer) -> Student | None:
    """Print why a round has no result, and return the student of the round before; None for the first one."""
    stays = "the method's own partition" if last is None else f"that of round {number - 1}"
    stages.console.print(f"student: {reason}; {stays} stays", highlight=False, soft_wrap=True)
    return last
