"""Deep Embedded Clustering: encoder and centers learn to agree with their own confident assignments."""

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


class DEC(ClusteringModule):
    """Minimizes KL(p‖q), summed over clusters, averaged over the batch (Xie, Girshick, Farhadi 2016).

    q is the soft assignment of each embedding, p the target distribution over all fitted samples, which the
    `TargetRefresh` callback recomputes now and then. The decoder stays as pretraining left it.

    Args:
        net: pretrained autoencoder; the run supplies it.
        name: names the run's folder and its tables.
        n_clusters: K.
        alpha: degrees of freedom of the Student's t kernel.
        optimizer: makes the optimizer of the encoder's and the centers' parameters.
        augment: distorts training batches; p and the centers' start are of clean samples.
    """

    learns = True
    distributable = True

    def __init__(
        self,
        net: Autoencoder,
        name: str,
        n_clusters: Count,
        alpha: PositiveFloat,
        optimizer: OptimizerFactory,
        augment: Affine | None,
    ) -> None:
        super().__init__(net, name, n_clusters)
        if augment is not None:
            augment.check(net.input_shape)
        net.decoder.requires_grad_(False)
        self.centers = nn.Parameter(torch.zeros(n_clusters, net.latent_dim))
        self.alpha = alpha
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
        """KL(p‖q) of one batch, in float32 under any precision."""
        x, index = batch
        if self.targets is None:
            raise RuntimeError("DEC has no targets; add the TargetRefresh callback")
        z = self.net.encode(self.net.prepare(x, at_step(self.augment, self, batch_idx)))
        log_q = log_soft_assignment(z, self.centers, self.alpha)
        loss = F.kl_div(log_q, self.targets[index], reduction="batchmean")
        log_step(self, {"fit/kl": loss})
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """One optimizer for encoder and centers."""
        return self.optimizer(parameter for parameter in self.parameters() if parameter.requires_grad)
