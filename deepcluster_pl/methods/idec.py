"""Improved Deep Embedded Clustering: DEC's loss beside the reconstruction error, which preserves the embedding."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.data.samples import Batch
from deepcluster_pl.functional import log_soft_assignment, soft_assignment, target_distribution
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.step import Draws, Losses, OptimizerFactory
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.ranges import Count, PositiveFloat


class IDEC(ClusteringModule):
    """Minimizes MSE(x, decoder(encoder(x))) + gamma · KL(p‖q) (Guo, Gao, Liu, Yin 2017, equation 8).

    MSE is the mean over all values of all samples. KL is summed over clusters and averaged over the batch. p is the
    target distribution over all fitted samples, which the `TargetRefresh` callback computes again at every refresh.

    Args:
        net, name, n_clusters, optimizer, augment: see `ClusteringModule`. Distorted batches are reconstructed as
            distorted.
        alpha: degrees of freedom of the Student's t kernel.
        gamma: weight of the clustering loss.
    """

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
        super().__init__(net, name, n_clusters, optimizer, augment)
        self.centers = nn.Parameter(torch.zeros(n_clusters, net.latent_dim))
        self.alpha = alpha
        self.gamma = gamma

    def assign(self, z: Tensor) -> Tensor:
        """Return the soft assignment q (N, K)."""
        return soft_assignment(z, self.centers, self.alpha)

    def make_targets(self, z: Tensor, q: Tensor) -> Tensor:
        """Return the target distribution p (N, K)."""
        return target_distribution(q)

    def loss(self, batch: Batch, draws: Draws) -> Losses:
        """Compute both losses of one batch; the clustering loss is in float32 under any precision."""
        x, index = batch
        z = self.net.encode(x)
        mse = self.net.error(self.net.decode(z), x)
        log_q = log_soft_assignment(z, self.centers, self.alpha)
        kl = F.kl_div(log_q, self.targets_of(index), reduction="batchmean")
        return {"loss": mse + self.gamma * kl, "mse": mse, "kl": kl}
