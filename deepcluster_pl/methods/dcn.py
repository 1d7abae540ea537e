"""Deep Clustering Network: reconstruction beside k-means' objective, with centers that are running means."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from deepcluster_pl.data.augmentation import Affine, at_step
from deepcluster_pl.data.samples import Batch
from deepcluster_pl.functional import kmeans_loss, moved_centers, soft_assignment, squared_distances
from deepcluster_pl.methods.base import ClusteringModule, OptimizerFactory
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.metric_logging import log_step
from deepcluster_pl.utils.ranges import Count, PositiveFloat


class DCN(ClusteringModule):
    """Minimizes MSE(x, decoder(encoder(x))) + λ/2 · |z - μ_s|² / V (Yang, Fu, Sidiropoulos, Hong 2017).

    μ_s is the center nearest to z. MSE is the mean over all values of all samples; |z - μ_s|² is summed over the D of
    the code and averaged over the batch. V is the number of values of a sample: the paper sums the reconstruction error
    over them, so its loss is V times this one and λ is the paper's, whatever the size of a sample.

    The optimizer trains encoder and decoder while the centers stand still. After each of its steps the batch is
    embedded once more, and each sample moves the center that is now nearest by one over that cluster's count.

    Args:
        net: pretrained autoencoder; the run supplies it.
        name: names the run's folder and its tables.
        n_clusters: K.
        weight: λ.
        initial_count: how many samples each of the start's centers stands for.
        optimizer: makes the optimizer of the net's parameters.
        augment: distorts training batches, which then are reconstructed, and drawn to the center nearest to them, as
            distorted; centers move by clean samples.

    Attributes:
        centers: μ (K, D).
        counts: samples (K,) that each center stands for, the initial ones included.
    """

    learns = True

    def __init__(
        self,
        net: Autoencoder,
        name: str,
        n_clusters: Count,
        weight: PositiveFloat,
        initial_count: Count,
        optimizer: OptimizerFactory,
        augment: Affine | None,
    ) -> None:
        super().__init__(net, name, n_clusters)
        if augment is not None:
            augment.check(net.input_shape)
        self.register_buffer("centers", torch.zeros(n_clusters, net.latent_dim))
        self.register_buffer("counts", torch.full((n_clusters,), initial_count))
        self.counts: Tensor
        self.weight = weight
        self.initial_count = initial_count
        self.optimizer = optimizer
        self.augment = augment
        self._batches: list[Batch] = []  # since the optimizer's last step; several where gradients accumulate

    def initialize(self, start: Initialization) -> None:
        """The start's centers, each standing for the initial count."""
        self.centers.copy_(start.centers)
        self.counts.fill_(self.initial_count)

    def move_centers(self, centers: Tensor, moved: Tensor) -> None:
        """As in the base; a center in a new place stands for the initial count again."""
        super().move_centers(centers, moved)
        self.counts[moved] = self.initial_count

    def assign(self, z: Tensor) -> Tensor:
        """Shares (N, K) by Student's t kernel; the nearest center's is the largest."""
        return soft_assignment(z, self.centers)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Both losses of one batch; the distances are in float32 under any precision."""
        self._batches.append(batch)
        x = self.net.prepare(batch[0], at_step(self.augment, self, batch_idx))
        z = self.net.encode(x)
        mse = F.mse_loss(self.net.decode(z).float(), x)
        distance = kmeans_loss(z, self.centers)
        log_step(self, {"fit/mse": mse, "fit/distance": distance})
        return mse + self.weight / 2 * distance / math.prod(self.net.input_shape)

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """A step of the net, then of the centers, before anyone looks at them or writes a checkpoint."""
        super().optimizer_step(*args, **kwargs)
        z = self.embed(self._batches)
        self._batches.clear()
        clusters = squared_distances(z, self.centers).argmin(dim=1)
        self.centers, self.counts = moved_centers(z, clusters, self.centers, self.counts)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """One optimizer for encoder and decoder; centers are no weights."""
        return self.optimizer(self.parameters())
