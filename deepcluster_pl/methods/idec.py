"""Improved Deep Embedded Clustering: DEC's loss beside the reconstruction error, which keeps the code readable."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deepcluster_pl.data.augmentation import Affine, at_step
from deepcluster_pl.data.samples import Batch
from deepcluster_pl.functional import log_soft_assignment, soft_assignment, target_distribution
from deepcluster_pl.methods.base import ClusteringModule, OptimizerFactory
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.metric_logging import log_step
from deepcluster_pl.utils.ranges import Count, PositiveFloat


class IDEC(ClusteringModule):
    """Minimizes MSE(x, decoder(encoder(x))) + gamma · KL(p‖q) (Guo, Gao, Liu, Yin 2017, equation 8).

    MSE is the mean over all values of all samples, KL is summed over clusters and averaged over the batch. p is the
    target distribution over all fitted samples, which the `TargetRefresh` callback recomputes now and then.

    Args:
        net: pretrained autoencoder; the run supplies it.
        name: names the run's folder and its tables.
        n_clusters: K.
        alpha: degrees of freedom of the Student's t kernel.
        gamma: weight of the clustering loss.
        optimizer: makes the optimizer of the net's and the centers' parameters.
        augment: distorts training batches, which then are reconstructed as distorted; p is of clean samples.
    """

    learns = True
    distributable = True

    def __init__(
        self,
        net: Autoencoder,
        name: str,
        n_clusters: Count,
        alpha: PositiveFloat,
        gamma: PositiveFloat,
        optimizer: OptimizerFactory,
        augment: Affine | None,
    ) -> None:
        super().__init__(net, name, n_clusters)
        if augment is not None:
            augment.check(net.input_shape)
        self.centers = nn.Parameter(torch.zeros(n_clusters, net.latent_dim))
        self.alpha = alpha
        self.gamma = gamma
        self.optimizer = optimizer
        self.augment = augment

    def initialize(self, start: Initialization) -> None:
        """Centers are trained weights from here on."""
        self.centers.data.copy_(start.centers)

    def assign(self, z: Tensor) -> Tensor:
        """Soft assignment q (N, K)."""
        return soft_assignment(z, self.centers, self.alpha)

    def make_targets(self, z: Tensor, q: Tensor) -> Tensor:
        """Target distribution p (N, K)."""
        return target_distribution(q)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Both losses of one batch; the clustering loss is in float32 under any precision."""
        x, index = batch
        if self.targets is None:
            raise RuntimeError("IDEC has no targets; add the TargetRefresh callback")
        x = self.net.prepare(x, at_step(self.augment, self, batch_idx))
        z = self.net.encode(x)
        mse = F.mse_loss(self.net.decode(z).float(), x)
        log_q = log_soft_assignment(z, self.centers, self.alpha)
        kl = F.kl_div(log_q, self.targets[index], reduction="batchmean")
        log_step(self, {"fit/mse": mse, "fit/kl": kl})
        return mse + self.gamma * kl

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """One optimizer for encoder, decoder and centers."""
        return self.optimizer(self.parameters())
