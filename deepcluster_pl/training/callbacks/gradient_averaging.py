"""Average the gradients of several processes by the samples that each of them saw."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel


class GradientAveraging(pl.Callback):
    """Makes the gradient that of the mean loss over all samples of a batch, whatever their split.

    `DistributedDataParallel` averages over processes, which weighs samples differently where a batch does not divide
    evenly: an epoch's last one. One process does without this callback.
    """

    def __init__(self) -> None:
        self.share = 1.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take the place of the plain average."""
        model = trainer.strategy.model
        if isinstance(model, DistributedDataParallel):
            model.register_comm_hook(self, _weighted_sum)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Note which share of the coming batch is here."""
        self.share = len(batch[0]) / trainer.datamodule.rows_in(batch_idx)  # type: ignore[attr-defined]


def _weighted_sum(state, bucket):  # type: ignore[no-untyped-def]  # torch compares annotations, and refuses strings
    work: Any = dist.all_reduce(bucket.buffer().mul_(state.share), async_op=True)
    return work.get_future().then(lambda done: done.value()[0])
