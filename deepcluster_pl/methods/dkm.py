"""Deep k-Means: reconstruction beside a smooth version of k-means' objective, whose centers are trained weights."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deepcluster_pl.data.augmentation import Affine, at_step
from deepcluster_pl.data.samples import Batch
from deepcluster_pl.functional import annealed_inverse_temperature, soft_assignment, soft_kmeans_loss
from deepcluster_pl.methods.base import ClusteringModule, OptimizerFactory
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.metric_logging import log_step
from deepcluster_pl.utils.ranges import Count, PositiveFloat


class DKM(ClusteringModule):
    """Minimizes MSE(x, decoder(encoder(x))) + λ · Σ_k |z - μ_k|² softmax_k(-a |z - μ_k|²) / V.

    From Moradi Fard, Thonet, Gaussier 2018. MSE is the mean over all values of all samples; the second term is summed
    over the D of the code and averaged over the batch. V is the number of values of a sample: the paper sums the
    reconstruction error over them, so its loss is V times this one and λ is the paper's, whatever the size of a sample.

    The inverse temperature a is constant, as the paper has it after pretraining, or annealed, as it has it without.
    The term in use follows from the optimizer's step alone.

    Args:
        net: pretrained autoencoder; the run supplies it.
        name: names the run's folder and its tables.
        n_clusters: K.
        weight: λ.
        inverse_temperature: a, or the first term where it is annealed.
        anneal_every: optimizer steps that each term lasts; null keeps a constant.
        anneal_terms: the last term that is reached, and kept.
        optimizer: makes the optimizer of the net's and the centers' parameters.
        augment: distorts training batches, which then are reconstructed, and drawn to centers, as distorted.
    """

    learns = True

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
        super().__init__(net, name, n_clusters)
        if augment is not None:
            augment.check(net.input_shape)
        self.centers = nn.Parameter(torch.zeros(n_clusters, net.latent_dim))
        self.weight = weight
        self.inverse_temperature = inverse_temperature
        self.anneal_every = anneal_every
        self.anneal_terms = anneal_terms
        self.optimizer = optimizer
        self.augment = augment

    def initialize(self, start: Initialization) -> None:
        """Centers are trained weights from here on."""
        self.centers.data.copy_(start.centers)

    def assign(self, z: Tensor) -> Tensor:
        """Shares (N, K) by Student's t kernel, the same at every temperature; the nearest center's is the largest."""
        return soft_assignment(z, self.centers)

    def temperature_at(self, step: int) -> float:
        """The inverse temperature a after that many steps of the optimizer."""
        if self.anneal_every is None:
            return self.inverse_temperature
        n = min(1 + step // self.anneal_every, self.anneal_terms)
        return annealed_inverse_temperature(self.inverse_temperature, n)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Both losses of one batch; the distances are in float32 under any precision."""
        x = self.net.prepare(batch[0], at_step(self.augment, self, batch_idx))
        z = self.net.encode(x)
        mse = F.mse_loss(self.net.decode(z).float(), x)
        distance = soft_kmeans_loss(z, self.centers, self.temperature_at(self.global_step))
        log_step(self, {"fit/mse": mse, "fit/distance": distance})
        return mse + self.weight * distance / math.prod(self.net.input_shape)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """One optimizer for encoder, decoder and centers."""
        return self.optimizer(self.parameters())
