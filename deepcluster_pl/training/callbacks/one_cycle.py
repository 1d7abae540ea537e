"""Raise the learning rate of a stage for a short while, then lower it to almost nothing."""

from __future__ import annotations

import math
from typing import Any

import pytorch_lightning as pl

from deepcluster_pl.training.callbacks.cosine_annealing import cosine_factor
from deepcluster_pl.utils.ranges import Share

_FIRST, _LAST = 1 / 25, 4e-6


class OneCycle(pl.Callback):
    """Learning rate that rises along half a cosine, and falls along another (Smith, Topin 2019).

    The rate depends on the step alone, and the optimizer stores its largest rate as `initial_lr`, as `CosineAnnealing`
    does. So a resumed run takes the same steps.

    Args:
        warmup: part of the stage in which the rate rises.
    """

    def __init__(self, warmup: Share) -> None:
        self.warmup = warmup

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Set the rate of the coming step."""
        factor = one_cycle_factor(trainer.global_step, int(trainer.estimated_stepping_batches), self.warmup)
        for optimizer in trainer.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor


def one_cycle_factor(step: int, n_steps: int, warmup: float) -> float:
    """Return the factor of the largest learning rate at a step, as PyTorch's OneCycleLR computes it.

    Args:
        step: steps that were taken before, from 0 to n_steps - 1.
        n_steps: steps of the whole stage.
        warmup: part of the stage in which the rate rises.

    Returns:
        From 1/25 up to 1, then down to 4e-6.

    >>> round(one_cycle_factor(0, 100, 0.1), 4), one_cycle_factor(9, 100, 0.1), one_cycle_factor(99, 100, 0.1)
    (0.04, 1.0, 4e-06)
    """
    top = max(0.0, warmup * n_steps - 1)
    if step < top:
        return 1 + (_FIRST - 1) * (1 + math.cos(math.pi * step / top)) / 2
    return cosine_factor((step - top) / max(1.0, n_steps - 1 - top), _LAST)
