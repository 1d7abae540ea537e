"""Log metrics at the cost of a tensor operation a step; `LightningModule.log` itself takes a third of a ms."""

from __future__ import annotations

import pytorch_lightning as pl
from torch import Tensor


class EpochMean:
    """Mean of a value over an epoch's samples, summed on the value's own device."""

    def __init__(self) -> None:
        self._sum: Tensor | None = None
        self._n = 0

    def add(self, value: Tensor, n: int) -> None:
        """Add the mean of a batch.

        Args:
            value: the batch's mean, a scalar.
            n: samples of the batch.
        """
        weighted = value.detach().float() * n
        self._sum = weighted if self._sum is None else self._sum + weighted
        self._n += n

    def log(self, module: pl.LightningModule, name: str) -> None:
        """Log the mean, averaged over processes, and start over; call it in `on_train_epoch_end`.

        Args:
            module: the module whose loggers get the mean.
            name: name of the metric.
        """
        if self._sum is not None:
            module.log(name, self._sum / self._n, sync_dist=True)
        self._sum, self._n = None, 0


def log_step(module: pl.LightningModule, values: dict[str, Tensor]) -> None:
    """Log values of this training step, if the loggers want this step (`trainer.log_every_n_steps`).

    Args:
        module: the module in training.
        values: scalars by name of the metric.
    """
    # Lightning drops the values of the other steps too, but takes its time for it
    trainer = module._trainer
    interval = 1 if trainer is None else trainer.log_every_n_steps  # type: ignore[attr-defined]
    if interval and (trainer is None or (trainer.global_step + 1) % interval == 0):
        for name, value in values.items():
            module.log(name, value)
