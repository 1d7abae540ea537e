"""Pretraining: the autoencoder learns to reproduce its prepared input."""

from __future__ import annotations

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch import Tensor

from deepcluster_pl.data.table import Batch
from deepcluster_pl.methods.base import OptimizerFactory
from deepcluster_pl.nets.base import Autoencoder


class Reconstruction(pl.LightningModule):
    """Mean squared error over all values of all samples in a batch.

    Args:
        net: the autoencoder; the run supplies it.
        optimizer: makes the optimizer of all its parameters.
    """

    def __init__(self, net: Autoencoder, optimizer: OptimizerFactory) -> None:
        super().__init__()
        self.net = net
        self.optimizer = optimizer

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Reconstruction error of one batch, logged as the epoch's mean."""
        loss = self._error(batch)
        self.log("pretrain/mse", loss, on_step=False, on_epoch=True, batch_size=len(batch[0]))
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """The same error on held-out samples, which nothing is chosen by."""
        self.log("pretrain/mse_holdout", self._error(batch), batch_size=len(batch[0]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """One optimizer for the whole net."""
        return self.optimizer(self.net.parameters())

    def _error(self, batch: Batch) -> Tensor:
        x = self.net.prepare(batch[0])
        return F.mse_loss(self.net.decode(self.net.encode(x)), x)
