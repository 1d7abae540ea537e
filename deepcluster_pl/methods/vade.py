"""Variational Deep Embedding: a variational autoencoder whose code is a mixture of Gaussians, one for each cluster."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from deepcluster_pl.data.augmentation import Affine, at_step
from deepcluster_pl.data.samples import Batch
from deepcluster_pl.functional import gaussian_log_density, gaussian_loss, mixture_divergence
from deepcluster_pl.methods.base import ClusteringModule, OptimizerFactory
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.metric_logging import log_step
from deepcluster_pl.utils.random import generator_at
from deepcluster_pl.utils.ranges import Count, NonNegativeInt, PositiveFloat, Share


class VaDE(ClusteringModule):
    """Minimizes -log p(x | z) + KL(q(z, c | x) ‖ p(z, c)) (Jiang, Zheng, Tan, Tang, Zhou 2017).

    q(z | x) is a Gaussian about the code with a variance from a head of its own, z a draw from it, p(z, c) a mixture
    whose weights, means and diagonal variances are trained, and q(c | x) the mixture's shares of z. p(x | z) is a
    Gaussian about what the decoder says, with one variance for all values. Both terms are in nats, summed over values
    and averaged over samples.

    Args:
        net: pretrained autoencoder; the run supplies it. Its code must be linear.
        name: names the run's folder and its tables.
        n_clusters: K.
        first_noise: first standard deviation of q(z | x), in standard deviations of the start's clusters.
        noise_floor: share of the data's variance that the decoder is not asked to explain.
        optimizer: makes the optimizer of the net's, the head's and the mixture's parameters.
        augment: distorts training batches, which then are reconstructed as distorted.
        seed: decides the draws of z.

    Attributes:
        centers: means (K, D).
        log_variances: logarithms (K, D) of the mixture's variances.
        logits: the softmax (K,) of which are the weights.
    """

    learns = True
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
        super().__init__(net, name, n_clusters)
        if augment is not None:
            augment.check(net.input_shape)
        self.log_variance_head = nn.Linear(net.code_layer.in_features, net.latent_dim)
        self.centers = nn.Parameter(torch.zeros(n_clusters, net.latent_dim))
        self.log_variances = nn.Parameter(torch.zeros(n_clusters, net.latent_dim))
        self.logits = nn.Parameter(torch.zeros(n_clusters))
        self.first_noise = first_noise
        self.noise_floor = noise_floor
        self.optimizer = optimizer
        self.augment = augment
        self.seed = seed

    def initialize(self, start: Initialization) -> None:
        """The mixture is the start's; the head says the same small variance of every sample.

        Full covariances give their diagonals. Centers alone get even weights and one variance for all, as wide as they
        themselves lie: the nearest center wins.
        """
        factors = start.precisions_cholesky
        if factors is None:
            spread = start.centers.var(dim=0, correction=0).mean()
            variances = torch.where(spread > 0, spread, 1.0).expand_as(self.centers)
        elif factors.ndim == 2:
            variances = factors.pow(-2)
        else:
            variances = torch.linalg.inv(factors).square().sum(dim=1)  # the covariance is P⁻ᵀ P⁻¹
        weights = torch.ones(self.n_clusters) if start.weights is None else start.weights
        self.centers.data.copy_(start.centers)
        self.log_variances.data.copy_(variances.log())
        self.logits.data.copy_((weights / weights.sum()).clamp_min(1e-6).log())
        self.log_variance_head.weight.data.zero_()
        own = (weights.to(variances) / weights.sum()) @ variances
        self.log_variance_head.bias.data.copy_(own.log() + 2 * math.log(self.first_noise))

    def assign(self, z: Tensor) -> Tensor:
        """Shares (N, K) by the mixture's posterior."""
        return self.log_shares(z).exp()

    def log_shares(self, z: Tensor) -> Tensor:
        """Logarithms (N, K) of the posterior, in the centers' own type under any precision."""
        with torch.autocast(z.device.type, enabled=False):
            density = gaussian_log_density(z.to(self.centers), self.centers, torch.exp(-0.5 * self.log_variances))
            return torch.log_softmax(self.logits + density, dim=1)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The negative evidence lower bound of one batch."""
        x = self.net.prepare(batch[0], at_step(self.augment, self, batch_idx))
        features = self.net.features(x)
        mean, log_variance = self.net.code_layer(features).float(), self.log_variance_head(features).float()
        z = mean + self._noise(mean, batch_idx) * torch.exp(0.5 * log_variance)
        loss, noise = gaussian_loss(self.net.decode(z), x, self.noise_floor)
        prior = (self.logits.log_softmax(dim=0), self.centers, self.log_variances)
        kl = mixture_divergence(mean, log_variance, self.log_shares(z), *prior).mean()
        log_step(self, {"fit/reconstruction": loss, "fit/kl": kl, "fit/noise": noise})
        return loss + kl

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """One optimizer for net, head and mixture."""
        return self.optimizer(self.parameters())

    def _noise(self, like: Tensor, batch_idx: int) -> Tensor:
        place = (self.current_epoch, batch_idx, self.global_rank, 1)  # 1: other numbers than those that augment draws
        return torch.randn(like.shape, generator=generator_at(self.seed, *place)).to(like)
