"""Deep Clustering Network: reconstruction beside k-means' objective, with centers that are running means."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.data.samples import Batch
from deepcluster_pl.functional import kmeans_loss, moved_centers, soft_assignment, squared_distances
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.methods.step import Draws, Losses, OptimizerFactory
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.distributed import gather_all
from deepcluster_pl.utils.ranges import Count, PositiveFloat


class DCN(ClusteringModule):
    """Minimizes MSE(x, decoder(encoder(x))) + λ/2 · |z - μ_s|² / V (Yang, Fu, Sidiropoulos, Hong 2017).

    μ_s is the center nearest to z. MSE is the mean over all values of all samples; |z - μ_s|² is summed over the D
    values of z and averaged over the batch. V is the number of values of a sample. The paper sums the reconstruction
    error over these values, so its loss is V times this one, and λ is the paper's for samples of any size.

    The optimizer trains encoder and decoder while the centers stand still. After each of its steps the batch is
    embedded again, and each sample moves the center that is now nearest by one over that cluster's count.

    Args:
        net, name, n_clusters, optimizer, augment: see `ClusteringModule`. Centers move by clean samples.
        weight: λ.
        initial_count: number of samples that each initial center counts for.

    Attributes:
        centers: μ (K, D).
        counts: samples (K,) that each center counts for, the initial ones included.
    """

    distributable = True
    counts: Tensor

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
        super().__init__(net, name, n_clusters, optimizer, augment)
        self.register_buffer("centers", torch.zeros(n_clusters, net.latent_dim))
        self.register_buffer("counts", torch.full((n_clusters,), initial_count))
        self.weight = weight
        self.initial_count = initial_count

    def initialize(self, start: Initialization) -> None:
        """Copy the initial centers, each with the initial count."""
        super().initialize(start)
        self.counts.fill_(self.initial_count)

    def move_centers(self, centers: Tensor, moved: Tensor) -> None:
        """Move some centers within a fit; a moved one gets the initial count again. See `ClusteringModule`."""
        super().move_centers(centers, moved)
        self.counts[moved] = self.initial_count

    def assign(self, z: Tensor) -> Tensor:
        """Return probabilities (N, K) by Student's t kernel; the nearest center's is the largest."""
        return soft_assignment(z, self.centers)

    def loss(self, batch: Batch, draws: Draws) -> Losses:
        """Compute both losses of one batch; the distances are in float32 under any precision."""
        x, _ = batch
        z = self.net.encode(x)
        mse = self.net.error(self.net.decode(z), x)
        distance = kmeans_loss(z, self.centers)
        return {"loss": mse + self.weight / 2 * distance / math.prod(x.shape[1:]), "mse": mse, "distance": distance}

    def after_step(self, batches: list[Batch]) -> None:
        """Move each center towards the samples of this step that are nearest to it."""
        # Embed again, because the optimizer has changed the net
        z = gather_all(self.embed(batches))
        clusters = squared_distances(z, self.centers).argmin(dim=1)
        centers, counts = moved_centers(z, clusters, self.centers, self.counts)
        self.centers.copy_(centers)  # in place, as a captured step needs it
        self.counts.copy_(counts)
