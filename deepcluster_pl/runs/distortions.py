"""Decide how far the images of a run are distorted while they train: once for net and method, and for a student."""

from __future__ import annotations

import torch
from torch import Tensor

from deepcluster_pl.config.instantiate import instantiate_node
from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.data.auto_distortions import AutoAffine, as_floats
from deepcluster_pl.data.tolerated_distortions import Tolerated, tolerated
from deepcluster_pl.runs.recipe import Recipe
from deepcluster_pl.runs.stages import Ready
from deepcluster_pl.runs.trainer import StageTrainer
from deepcluster_pl.utils.distributed import broadcast_from_rank_zero
from deepcluster_pl.utils.progress import doing
from deepcluster_pl.utils.random import sample_rows
from deepcluster_pl.utils.run_folder import RunFolder

FEWEST = 32
"""Samples that a student needs to learn from, at least."""
_ROWS_OF_DISTORTIONS = 2000
"""Samples that distortions are tried on for a student, at most."""


def choose_distortions(recipe: Recipe, stages: StageTrainer, ready: Ready) -> Recipe:
    """Find the distortions that the fitted images tolerate, where `augment=auto` asks for it, and print them.

    The amounts are stored in the run folder. A resumed run reads them, so it trains with the same ones.

    Args:
        recipe: the recipe.
        stages: knows folder and console.
        ready: the run so far.

    Returns:
        The recipe, with amounts in place of "auto" for pretraining and method alike.
    """
    cfg = recipe.cfg
    if not any(node is not None and node.get("augment") is not None for node in (cfg.pretrain.module, cfg.method)):
        return recipe
    auto = instantiate_node(cfg.augment)
    if not isinstance(auto, AutoAffine):
        return recipe
    here = stages.folder.distortions

    def find() -> Tolerated:
        # Weights that were begun with some amounts continue with them
        begun = [point for point in (ready.resume.fit_from, ready.resume.pretrain_from) if point is not None]
        files = [here, *(RunFolder(point.path.parent.parent).distortions for point in begun)]
        earlier = next((file for file in files if file.is_file()), None)
        found = auto.find(ready.data) if earlier is None else Tolerated.load(earlier)
        if earlier != here:
            found.save(here)
        return found

    with doing("looking for distortions that keep samples among their neighbors"):
        found = broadcast_from_rank_zero(find)
    stages.console.print(found.describe(), highlight=False, soft_wrap=True)
    return recipe.with_distortions(found.amounts, auto.fill, auto.seed)


def student_distortions(recipe: Recipe, stages: StageTrainer, ready: Ready, clusters: Tensor) -> Affine | None:
    """Return the distortions of images that leave samples among their neighbors, and print them; None = the recipe's.

    Args:
        recipe: the recipe, with a student.
        stages: knows the console.
        ready: the run so far.
        clusters: the teacher's cluster (N,) of each fitted sample.
    """
    plan = recipe.cfg.student
    if plan.get("distortions", "fixed") == "fixed" or plan.method.augment is None or len(clusters) < FEWEST:
        return None
    like: Affine = instantiate_node(plan.method.augment)

    def find() -> Tolerated:
        part = ready.data.part("fit")
        rows = sample_rows(len(part), _ROWS_OF_DISTORTIONS, recipe.cfg.seed)
        return tolerated(as_floats(part.take(rows)), clusters.cpu()[torch.from_numpy(rows)], like)

    found = broadcast_from_rank_zero(find)
    if not stages.folder.student(plan.rounds).is_file():  # else a finished student is only read
        stages.console.print(f"student: {found.describe()}", highlight=False, soft_wrap=True)
    return Affine(found.shift, found.rotation, found.shear, found.zoom, like.fill, like.seed, found.flip)
