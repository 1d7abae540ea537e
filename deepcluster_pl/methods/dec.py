"""Deep Embedded Clustering: encoder and centers learn to agree with their own confident assignments."""

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


class DEC(ClusteringModule):
    """Minimizes KL(p‖q), summed over clusters, averaged over the batch (Xie, Girshick, Farhadi 2016).

    q is the soft assignment of each embedding. p is the target distribution over all fitted samples, which the
    `TargetRefresh` callback computes again at every refresh. The decoder stays as it was pretrained.

    Args:
        net, name, n_clusters, optimizer, augment: see `ClusteringModule`.
        alpha: degrees of freedom of the Student's t kernel.
    """

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
        super().__init__(net, name, n_clusters, optimizer, augment)
        net.decoder.requires_grad_(False)
        self.centers = nn.Parameter(torch.zeros(n_clusters, net.latent_dim))
        self.alpha = alpha

    def assign(self, z: Tensor) -> Tensor:
        """Return the soft assignment q (N, K)."""
        return soft_assignment(z, self.centers, self.alpha)

    def make_targets(self, z: Tensor, q: Tensor) -> Tensor:
        """Return the target distribution p (N, K)."""
        return target_distribution(q)

    def loss(self, batch: Batch, draws: Draws) -> Losses:
        """Compute KL(p‖q) of one batch, in float32 under any precision."""
        x, index = batch
        log_q = log_soft_assignment(self.net.encode(x), self.centers, self.alpha)
        kl = F.kl_div(log_q, self.targets_of(index), reduction="batchmean")
        return {"loss": kl, "kl": kl}
