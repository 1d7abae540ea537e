"""Lower the learning rate along half a cosine, so that a stage ends calmly."""

from __future__ import annotations

import math
from typing import Any

import pytorch_lightning as pl

from deepcluster_pl.utils.ranges import Share


class CosineAnnealing(pl.Callback):
    """Step t of T is taken with lr · (final + (1 - final) · (1 + cos(πt/T)) / 2) (Loshchilov, Hutter 2017, equation 5).

    The rate follows from the step alone, and the optimizer keeps its first one under `initial_lr`, as PyTorch's
    schedulers do: a run that goes on from a checkpoint takes the same steps.

    Args:
        final: share of the learning rate that the last step comes near; 1 leaves it constant.
    """

    def __init__(self, final: Share) -> None:
        self.final = final

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Set the rate of the coming step."""
        if self.final == 1:
            return
        share = annealed(trainer.global_step / trainer.estimated_stepping_batches, self.final)
        for optimizer in trainer.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group.setdefault("initial_lr", group["lr"]) * share


def annealed(progress: float, final: float) -> float:
    """Share of the learning rate that is left when `progress` (0 … 1) of a stage is over.

    >>> annealed(0, 0.1), round(annealed(0.5, 0.1), 6), annealed(1, 0.1)
    (1.0, 0.55, 0.1)
    """
    return final + (1 - final) * (1 + math.cos(math.pi * min(1.0, progress))) / 2
