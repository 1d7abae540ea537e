"""Average the gradients of several processes, each weighted by its number of samples."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from deepcluster_pl.methods.step import LossModule


class GradientAveraging(pl.Callback):
    """Gradient of the mean loss over all samples of a batch, however the processes share them.

    `DistributedDataParallel` takes the plain mean over processes. Where a batch does not divide evenly, as the last
    one of an epoch, that mean weights samples differently. A run of one process does not need this callback.

    Attributes:
        share: share of the coming batch's samples that this process has.
    """

    def __init__(self) -> None:
        self.share = 1.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Replace the plain mean."""
        model = trainer.strategy.model
        if isinstance(model, DistributedDataParallel):
            model.register_comm_hook(self, _weighted_sum)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Note this process's share of the coming batch."""
        self.share = len(batch[0]) / trainer.datamodule.rows_in(batch_idx)  # type: ignore[attr-defined]

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        """Remove the gradients of zero that parameters got for the sake of the averaging, so that they stay."""
        for parameter in pl_module.idle_parameters() if isinstance(pl_module, LossModule) else []:
            parameter.grad = None


def _weighted_sum(state, bucket):  # type: ignore[no-untyped-def]  # torch compares annotations, and refuses strings
    """Return a future of the gradients' sum over processes, each weighted by its share of the batch."""
    work: Any = dist.all_reduce(bucket.buffer().mul_(state.share), async_op=True)
    return work.get_future().then(lambda done: done.value()[0])
