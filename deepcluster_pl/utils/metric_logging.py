"""What training logs, at the cost of a tensor operation a step: `LightningModule.log` itself takes a third of a ms."""

from __future__ import annotations

import pytorch_lightning as pl
from torch import Tensor


class EpochMean:
    """The mean of a value over an epoch's samples, summed up where the value lies."""

    def __init__(self) -> None:
        self._sum: Tensor | None = None
        self._n = 0

    def add(self, value: Tensor, n: int) -> None:
        """Take in a batch's mean over n samples."""
        weighted = value.detach().float() * n
        self._sum = weighted if self._sum is None else self._sum + weighted
        self._n += n

    def log(self, module: pl.LightningModule, name: str) -> None:
        """Hand the mean to the loggers, averaged over processes, and begin anew; for `on_train_epoch_end`."""
        if self._sum is not None:
            module.log(name, self._sum / self._n, sync_dist=True)
        self._sum, self._n = None, 0


def log_step(module: pl.LightningModule, values: dict[str, Tensor]) -> None:
    """Log values of this training step, if it is one that the loggers look at (`trainer.log_every_n_steps`)."""
    trainer = module._trainer
    interval = 1 if trainer is None else trainer.log_every_n_steps  # type: ignore[attr-defined]
    if interval and (trainer is None or (trainer.global_step + 1) % interval == 0):
        for name, value in values.items():
            module.log(name, value)
