"""Deep k-Means: reconstruction beside a smooth version of k-means' objective, with centers that are trained."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.data.samples import Batch
from deepcluster_pl.functional import annealed_inverse_temperature, soft_assignment, soft_kmeans_loss
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.step import Draws, Losses, OptimizerFactory
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.ranges import Count, PositiveFloat


class DKM(ClusteringModule):
    """Minimizes MSE(x, decoder(encoder(x))) + λ · Σ_k |z - μ_k|² softmax_k(-a |z - μ_k|²) / V.

    The source is Moradi Fard, Thonet, Gaussier 2018. MSE is the mean over all values of all samples; the second term
    is summed over the D values of z and averaged over the batch. V is the number of values of a sample. The paper sums
    the reconstruction error over these values, so its loss is V times this one, and λ is the paper's for samples of
    any size.

    The inverse temperature a is constant, as in the paper after pretraining, or annealed, as in the paper without. Its
    value follows from the optimizer's step alone.

    Args:
        net, name, n_clusters, optimizer, augment: see `ClusteringModule`.
        weight: λ.
        inverse_temperature: a, or its first value where it is annealed.
        anneal_every: optimizer steps that each value lasts; None for a constant a.
        anneal_terms: number of values; the last one stays.
    """

    distributable = True

    def __init__(
        self,
        net: Autoencoder,
        name: str,
        n_clusters: Count,
        weight: PositiveFloat,
        inverse_temperature: PositiveFloat,
        anneal_every: Count | None,
        anneal_terms: Count,
        optimizer: OptimizerFactory,
        augment: Affine | None,
    ) -> None:
        super().__init__(net, name, n_clusters, optimizer, augment)
        self.centers = nn.Parameter(torch.zeros(n_clusters, net.latent_dim))
        self.weight = weight
        self.inverse_temperature = inverse_temperature
        self.anneal_every = anneal_every
        self.anneal_terms = anneal_terms

    def assign(self, z: Tensor) -> Tensor:
        """Return probabilities (N, K) by Student's t kernel; the nearest center's is the largest at any temperature."""
        return soft_assignment(z, self.centers)

    def temperature_at(self, step: int) -> float:
        """Return the inverse temperature a after a number of optimizer steps."""
        if self.anneal_every is None:
            return self.inverse_temperature
        n = min(1 + step // self.anneal_every, self.anneal_terms)
        return annealed_inverse_temperature(self.inverse_temperature, n)

    def step_constants(self) -> tuple[float]:
        """Return the inverse temperature of the coming step."""
        return (self.temperature_at(self.global_step),)

    def loss(self, batch: Batch, draws: Draws) -> Losses:
        """Compute both losses of one batch; the distances are in float32 under any precision."""
        x, _ = batch
        z = self.net.encode(x)
        mse = self.net.error(self.net.decode(z), x)
        distance = soft_kmeans_loss(z, self.centers, self.temperature_at(self.global_step))
        return {"loss": mse + self.weight * distance / math.prod(x.shape[1:]), "mse": mse, "distance": distance}
