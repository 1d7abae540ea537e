"""Pretrain an autoencoder to reconstruct its prepared input."""

from __future__ import annotations

from torch import Tensor

from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.data.samples import Batch
from deepcluster_pl.methods.step import Draws, Losses, LossModule, OptimizerFactory
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.metric_logging import EpochMean


class Reconstruction(LossModule):
    """Autoencoder trained on its net's reconstruction error: the mean square over all values, or that of a mixed table.

    Args:
        net: the autoencoder; the run supplies it.
        optimizer: makes the optimizer of all parameters.
        augment: distorts training batches, which are reconstructed as distorted; held-out samples stay clean.
    """

    distributable = True

    def __init__(self, net: Autoencoder, optimizer: OptimizerFactory, augment: Affine | None) -> None:
        super().__init__(net, optimizer, augment)
        self._mse = EpochMean()

    def loss(self, batch: Batch, draws: Draws) -> Losses:
        """Compute the reconstruction error of one batch.

        Args:
            batch: prepared samples (B, *input_shape) and their row numbers (B,).
            draws: not used.

        Returns:
            `loss`, the mean squared error.
        """
        return {"loss": self.error(batch[0])}

    def error(self, x: Tensor) -> Tensor:
        """Compute the reconstruction error of the whole net on prepared samples (B, *input_shape)."""
        return self.net.error(self.net.decode(self.net.encode(x)), x)

    def log_losses(self, losses: Losses, n_samples: int) -> None:
        """Add the error of one batch to the mean of the epoch."""
        self._mse.add(losses["loss"], n_samples)

    def on_train_epoch_end(self) -> None:
        """Log the mean of the epoch."""
        self._mse.log(self, "pretrain/mse")

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Log the error of held-out samples. Nothing is chosen by it."""
        error = self.error(self.net.prepare(batch[0]))
        self.log("pretrain/mse_holdout", error, sync_dist=True, batch_size=len(batch[0]))
