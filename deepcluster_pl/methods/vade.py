"""Variational Deep Embedding: a variational autoencoder with a mixture of Gaussians, one for each cluster."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor, nn

from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.data.samples import Batch
from deepcluster_pl.functional import gaussian_log_density, gaussian_loss, mixture_divergence
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.methods.step import Draws, Losses, OptimizerFactory, Place
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.distributed import mean_over_processes, world_size
from deepcluster_pl.utils.random import generator_at
from deepcluster_pl.utils.ranges import Count, NonNegativeInt, PositiveFloat, Share


class VaDE(ClusteringModule):
    """Minimizes -log p(x | z) + KL(q(z, c | x) ‖ p(z, c)) (Jiang, Zheng, Tan, Tang, Zhou 2017).

    q(z | x) is a Gaussian about the embedding with a variance from its own head, z a draw from it, p(z, c) a mixture
    whose weights, means and diagonal variances are trained, and q(c | x) the mixture's posterior of z. p(x | z) is a
    Gaussian about the decoder's output, with one variance for all values. Both terms are in nats, summed over values
    and averaged over samples.

    Args:
        net, name, n_clusters, optimizer, augment: see `ClusteringModule`. The net's embedding layer must be linear.
        first_noise: initial standard deviation of q(z | x), in standard deviations of the initial clusters.
        noise_floor: share of the data's variance that the decoder need not explain.
        seed: seed of the draws of z.

    Attributes:
        centers: means (K, D).
        log_variances: logarithms (K, D) of the mixture's variances.
        logits: the softmax (K,) of which are the weights.
    """

    distributable = True
    needs_linear_code = True
    clusters_are_centers = False

    def __init__(
        self,
        net: Autoencoder,
        name: str,
        n_clusters: Count,
        first_noise: PositiveFloat,
        noise_floor: Share,
        optimizer: OptimizerFactory,
        augment: Affine | None,
        seed: NonNegativeInt,
    ) -> None:
        super().__init__(net, name, n_clusters, optimizer, augment)
        self.log_variance_head = nn.Linear(net.code_layer.in_features, net.latent_dim)
        self.centers = nn.Parameter(torch.zeros(n_clusters, net.latent_dim))
        self.log_variances = nn.Parameter(torch.zeros(n_clusters, net.latent_dim))
        self.logits = nn.Parameter(torch.zeros(n_clusters))
        self.first_noise = first_noise
        self.noise_floor = noise_floor
        self.seed = seed

    def initialize(self, start: Initialization) -> None:
        """Copy the initial mixture, and set the head to the same small variance for every sample.

        Of full covariances the diagonals are used. Centers alone get even weights and one common variance, that of
        the centers themselves, so that the nearest center's probability is the largest.
        """
        # Variances of the clusters, by what the initialization has
        factors = start.precisions_cholesky
        if factors is None:
            spread = start.centers.var(dim=0, correction=0).mean()
            variances = torch.where(spread > 0, spread, 1.0).expand_as(self.centers)
        elif factors.ndim == 2:
            variances = factors.pow(-2)
        else:
            variances = torch.linalg.inv(factors).square().sum(dim=1)  # the covariance is P⁻ᵀ P⁻¹
        # The mixture
        weights = torch.ones(self.n_clusters) if start.weights is None else start.weights
        self.centers.data.copy_(start.centers)
        self.log_variances.data.copy_(variances.log())
        self.logits.data.copy_((weights / weights.sum()).clamp_min(1e-6).log())
        # The head: first_noise times the standard deviation of the mean cluster, for every sample
        self.log_variance_head.weight.data.zero_()
        mean_variance = (weights.to(variances) / weights.sum()) @ variances
        self.log_variance_head.bias.data.copy_(mean_variance.log() + 2 * math.log(self.first_noise))

    def assign(self, z: Tensor) -> Tensor:
        """Return probabilities (N, K): the mixture's posterior."""
        return self.log_probabilities(z).exp()

    def log_probabilities(self, z: Tensor) -> Tensor:
        """Return logarithms (N, K) of the posterior, in the centers' own type under any precision."""
        with torch.autocast(z.device.type, enabled=False):
            density = gaussian_log_density(z.to(self.centers), self.centers, torch.exp(-0.5 * self.log_variances))
            return torch.log_softmax(self.logits + density, dim=1)

    def draw(self, n_samples: int, place: Place) -> Draws:
        """Draw the distortion's amounts, and standard normal noise (B, D) for the draw of z."""
        # The 1 separates this stream from the one that the distortion draws from at the same place
        generator = generator_at(self.seed, *place, 1)
        noise = torch.randn((n_samples, self.net.latent_dim), generator=generator)
        return super().draw(n_samples, place) | {"noise": noise}

    def loss(self, batch: Batch, draws: Draws) -> Losses:
        """Compute the negative evidence lower bound of one batch."""
        x, _ = batch
        features = self.net.features(x)
        mean, log_variance = self.net.code_layer(features).float(), self.log_variance_head(features).float()
        # The reparametrization trick: z is a draw from q(z | x)
        z = mean + draws["noise"].to(mean) * torch.exp(0.5 * log_variance)
        over_all = None if world_size() == 1 else partial(mean_over_processes, n=len(x))
        reconstruction, noise = gaussian_loss(self.net.decode(z), x, self.noise_floor, over_all)
        prior = (self.logits.log_softmax(dim=0), self.centers, self.log_variances)
        kl = mixture_divergence(mean, log_variance, self.log_probabilities(z), *prior).mean()
        return {"loss": reconstruction + kl, "reconstruction": reconstruction, "kl": kl, "noise": noise}
