"""Pretraining: the autoencoder learns to reproduce its prepared input."""

from __future__ import annotations

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch import Tensor

from deepcluster_pl.data.augmentation import Affine, at_step
from deepcluster_pl.data.samples import Batch
from deepcluster_pl.methods.base import OptimizerFactory
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.metric_logging import EpochMean


class Reconstruction(pl.LightningModule):
    """Mean squared error over all values of all samples in a batch.

    Args:
        net: the autoencoder; the run supplies it.
        optimizer: makes the optimizer of all its parameters.
        augment: distorts training batches, which then are reconstructed as distorted; held-out samples stay clean.
    """

    distributable = True  # as deepcluster_pl.methods.base.ClusteringModule says

    def __init__(self, net: Autoencoder, optimizer: OptimizerFactory, augment: Affine | None) -> None:
        super().__init__()
        if augment is not None:
            augment.check(net.input_shape)
        self.net = net
        self.optimizer = optimizer
        self.augment = augment
        self._mse = EpochMean()

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Reconstruction error of one batch."""
        loss = self._error(self.net.prepare(batch[0], at_step(self.augment, self, batch_idx)))
        self._mse.add(loss, len(batch[0]))
        return loss

    def on_train_epoch_end(self) -> None:
        """Log the epoch's mean."""
        self._mse.log(self, "pretrain/mse")

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """The same error on held-out samples, which nothing is chosen by."""
        error = self._error(self.net.prepare(batch[0]))
        self.log("pretrain/mse_holdout", error, sync_dist=True, batch_size=len(batch[0]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """One optimizer for the whole net."""
        return self.optimizer(self.net.parameters())

    def _error(self, x: Tensor) -> Tensor:
        return F.mse_loss(self.net.decode(self.net.encode(x)), x)
