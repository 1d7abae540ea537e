"""Lower the learning rate of a stage along half a cosine."""

from __future__ import annotations

import math
from typing import Any

import pytorch_lightning as pl

from deepcluster_pl.utils.ranges import Share


class CosineAnnealing(pl.Callback):
    """Learning rate that falls along half a cosine (Loshchilov, Hutter 2017, equation 5).

    Step t of T is taken with the rate lr · (final + (1 - final) · (1 + cos(πt/T)) / 2). The rate depends on the step
    alone, and the optimizer stores its first rate as `initial_lr`, as PyTorch's schedulers do. So a resumed run takes
    the same steps.

    Args:
        final: factor of the learning rate that the last step comes near; 1 leaves the rate constant.
    """

    def __init__(self, final: Share) -> None:
        self.final = final

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Set the rate of the coming step."""
        if self.final == 1:
            return
        factor = cosine_factor(trainer.global_step / trainer.estimated_stepping_batches, self.final)
        for optimizer in trainer.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor


def cosine_factor(progress: float, final: float) -> float:
    """Return the factor of the learning rate at a moment of a stage.

    Args:
        progress: part of the stage that is over, from 0 to 1.
        final: factor at its end.

    Returns:
        1 at the beginning, `final` at the end, and half a cosine in between.

    >>> cosine_factor(0, 0.1), round(cosine_factor(0.5, 0.1), 6), cosine_factor(1, 0.1)
    (1.0, 0.55, 0.1)
    """
    return final + (1 - final) * (1 + math.cos(math.pi * min(1.0, progress))) / 2
