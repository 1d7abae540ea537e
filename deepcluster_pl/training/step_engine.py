"""One optimizer step of a module outside Lightning's loop: the same operations, without the hooks around them."""

from __future__ import annotations

from typing import Protocol

import pytorch_lightning as pl

from deepcluster_pl.data.samples import Batch
from deepcluster_pl.methods.step import Draws, Losses, LossModule


class StepEngine(Protocol):
    """Way to take an optimizer step. Modules do not know which one takes theirs."""

    def __call__(self, batch: Batch, draws: Draws) -> Losses:
        """Take one step.

        Args:
            batch: raw samples (B, *input_shape) and their row numbers (B,), on the module's device.
            draws: the step's random numbers, from `LossModule.draw`.

        Returns:
            The losses before the step, detached. They may be overwritten by the next step.
        """


class EagerStep:
    """Engine that starts the operations of a step one after the other, on any device.

    Args:
        trainer: Trainer of the stage, which has made the optimizer and knows precision and clipping.
        module: the module to train.
    """

    def __init__(self, trainer: pl.Trainer, module: LossModule) -> None:
        self.module = module
        self.optimizer = trainer.optimizers[0]
        self._forward_context = trainer.precision_plugin.train_step_context
        self._clip_value, self._clip_algorithm = trainer.gradient_clip_val, trainer.gradient_clip_algorithm

    def __call__(self, batch: Batch, draws: Draws) -> Losses:
        """Take one step; see `StepEngine`."""
        module, optimizer = self.module, self.optimizer
        with module.step_context():
            # Forward, in the precision of the run
            with self._forward_context():
                losses = module.loss(module.training_batch(batch, draws), draws)
            # Backward
            optimizer.zero_grad()
            losses["loss"].backward()  # type: ignore[no-untyped-call]
            # Step
            if self._clip_value:
                module.configure_gradient_clipping(optimizer, self._clip_value, self._clip_algorithm)
            optimizer.step()
        module.after_step([batch])
        return {name: value.detach() for name, value in losses.items()}
