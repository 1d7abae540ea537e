"""A module whose training step is its loss: draws, distortion, optimizer and logging are here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.data.samples import Batch
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.distributed import rows_of_rank, world_size

OptimizerFactory = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
Draws = dict[str, Tensor]
"""Random numbers of one training step by name, on the CPU."""
Losses = dict[str, Tensor]
"""Scalars of one batch by name: `loss` is minimized, the others are logged."""
Place = tuple[int, int, int]
"""A batch's place in training: epoch, batch, and 0, since the processes of a run draw for the whole batch."""


class LossModule(pl.LightningModule, ABC):
    """A net and the loss that it is trained on.

    A step is four calls: `draw` draws every random number, `training_batch` prepares the samples, `loss` computes the
    losses, `log_losses` logs them. The draws depend on a seed and on the batch's place in training alone.
    So a resumed run, and a run on another device, takes the same steps.

    Args:
        net: the autoencoder.
        optimizer: makes the optimizer of all parameters that require a gradient; None where nothing is trained.
        augment: distorts training batches, or None.

    Attributes:
        distributable: whether several processes compute what one process would. The loss has to be a mean over
            samples, or be made of means over the samples of all processes (`mean_over_processes`). All state between
            steps has to be the same in every process.
    """

    distributable = False

    def __init__(self, net: Autoencoder, optimizer: OptimizerFactory | None, augment: Affine | None) -> None:
        super().__init__()
        if augment is not None:
            augment.check(net.input_shape)
        self.net = net
        self.optimizer = optimizer
        self.augment = augment
        self.step_context: Callable[[], AbstractContextManager[None]] = nullcontext
        self._batches: list[Batch] = []  # since the last optimizer step; several where gradients accumulate

    @abstractmethod
    def loss(self, batch: Batch, draws: Draws) -> Losses:
        """Compute the losses of one batch.

        Args:
            batch: prepared samples (B, *input_shape) and their row numbers (B,) in the fitted part.
            draws: random numbers of this step, as `draw` returned them.

        Returns:
            `loss`, which is minimized, and further values to log.
        """

    @abstractmethod
    def log_losses(self, losses: Losses, n_samples: int) -> None:
        """Log the losses of one batch of n samples."""

    def draw(self, n_samples: int, place: Place) -> Draws:
        """Draw the random numbers of one step.

        Args:
            n_samples: B, the size of the batch.
            place: the batch's place in training.

        Returns:
            `affine`, amounts (B, 5) of distortion, where training batches are distorted. Every tensor has a row for
            each sample, or several blocks of such rows: several processes draw for all, and each takes its own rows.
        """
        return {} if self.augment is None else {"affine": self.augment.draw(n_samples, *place)}

    def training_batch(self, batch: Batch, draws: Draws) -> Batch:
        """Prepare raw samples for the net, distorted where `augment` asks for it.

        Args:
            batch: raw samples (B, *input_shape) and their row numbers (B,).
            draws: random numbers of this step.

        Returns:
            Prepared samples and the same row numbers.
        """
        x, index = batch
        if self.augment is None:
            return self.net.prepare(x), index
        return self.net.prepare(x, partial(self.augment.transform, amounts=draws["affine"])), index

    def step_constants(self) -> tuple[Hashable, ...]:
        """Return the Python values that the coming step's loss reads; a captured step is replayed while they last."""
        return ()

    def after_step(self, batches: list[Batch]) -> None:
        """Update what the optimizer does not train; called after each of its steps with the batches of that step."""

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of one batch, and log all losses; note the batch for `after_step`."""
        if type(self).after_step is not LossModule.after_step:
            self._batches.append(batch)
        draws = self._own_draws(len(batch[0]), batch_idx)
        losses = self.loss(self.training_batch(batch, draws), draws)
        self.log_losses(losses, len(batch[0]))
        if world_size() > 1:  # processes wait for a gradient of every parameter
            return losses["loss"] + sum(0 * parameter.sum() for parameter in self.idle_parameters())
        return losses["loss"]

    def idle_parameters(self) -> list[nn.Parameter]:
        """Return the trainable parameters that the current step leaves alone. `GradientAveraging` has to know them."""
        return []

    def _own_draws(self, n_samples: int, batch_idx: int) -> Draws:
        """Draw for the whole batch, and return the rows of this process's n samples."""
        n = n_samples if world_size() == 1 else self.trainer.datamodule.rows_in(batch_idx)  # type: ignore[attr-defined]
        draws = self.draw(n, (self.current_epoch, batch_idx, 0))
        return {name: rows_of_rank(values, n) for name, values in draws.items()}

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Step the optimizer, then call `after_step`, before any callback looks or a checkpoint is written."""
        with self.step_context():
            super().optimizer_step(*args, **kwargs)
        self.after_step(self._batches)
        self._batches.clear()

    def configure_optimizers(self) -> torch.optim.Optimizer | None:
        """Make one optimizer of all parameters that require a gradient."""
        if self.optimizer is None:
            return None
        return self.optimizer(parameter for parameter in self.parameters() if parameter.requires_grad)
