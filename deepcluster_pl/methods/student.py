"""The student: a fresh net that learns a partition from those samples that their neighbors agree on."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.data.samples import Batch
from deepcluster_pl.functional import balancing_weights
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.methods.step import Draws, Losses, OptimizerFactory, Place
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.metric_logging import log_step
from deepcluster_pl.utils.random import generator_at
from deepcluster_pl.utils.ranges import Count, NonNegativeFloat, NonNegativeInt, OpenShare, Share

_FEATURES = 1
"""Separates the random stream of noise from that of distortions."""


class Student(ClusteringModule):
    """Minimizes the cross-entropy of distorted samples with the clusters that a teacher gave them.

    Clusters weigh alike, whatever their size, and labels are smoothed (Szegedy and others 2016). A net that sees a
    sample in many distorted forms learns what the samples of a cluster have in common, and so corrects the teacher
    where it went by something else. Training on one's own predictions is self-training (Scudder 1965; Lee 2013).

    Args:
        net, name, n_clusters, optimizer, augment: see `ClusteringModule`. `augment` distorts images.
        label_smoothing: share of the target that is spread over all clusters.
        balance: 1 lets every cluster weigh alike, 0 every sample.
        noise: standard deviation of the noise that is added to every prepared feature.
        dropout: share of the prepared features that is set to zero.
        seed: seed of noise and dropout.

    Attributes:
        round: number of the round, from 1; each has its own draws.
        weights: weight (K,) of the samples of each cluster.
        targets: the teacher's cluster (M,) of each sample that is trained on.
    """

    distributable = True
    clusters_are_centers = False
    has_centers = False
    weights: Tensor

    def __init__(
        self,
        net: Autoencoder,
        name: str,
        n_clusters: Count,
        label_smoothing: OpenShare,
        balance: Share,
        noise: NonNegativeFloat,
        dropout: OpenShare,
        optimizer: OptimizerFactory,
        augment: Affine | None,
        seed: NonNegativeInt,
    ) -> None:
        super().__init__(net, name, n_clusters, optimizer, augment)
        self.head = nn.Linear(net.latent_dim, n_clusters)
        self.register_buffer("weights", torch.ones(n_clusters))
        self.label_smoothing = label_smoothing
        self.balance = balance
        self.noise = noise
        self.dropout = dropout
        self.seed = seed
        self.round = 0

    def initialize(self, start: Initialization) -> None:
        """Do nothing: a student begins with fresh weights."""

    def begin(self, number: int, clusters: Tensor) -> None:
        """Draw fresh weights, and take over what is learned in this round.

        Args:
            number: number of the round, from 1.
            clusters: the teacher's cluster (M,) of each sample that is trained on.
        """
        self.round = number
        generator = generator_at(self.seed, number)
        self.net.initialize(generator)
        bound = self.head.in_features**-0.5
        for parameter in self.head.parameters():
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
        self.targets = clusters
        self.weights.copy_(balancing_weights(clusters, self.n_clusters, self.balance))

    def on_fit_start(self) -> None:
        """Move the targets to the device of the training."""
        assert self.targets is not None
        self.targets = self.targets.to(self.device)

    def assign(self, z: Tensor) -> Tensor:
        """Return probabilities (N, K): the softmax of the head."""
        return torch.softmax(self.head(z), dim=1)

    def draw(self, n_samples: int, place: Place) -> Draws:
        """Draw the distortion's amounts, the noise, and which features are left out."""
        draws: Draws = {}
        if self.augment is not None:
            draws["affine"] = self.augment.draw(n_samples, self.round, *place)
        if self.noise or self.dropout:
            generator = generator_at(self.seed, self.round, *place, _FEATURES)
            shape = (n_samples, *self.net.input_shape)
            draws["noise"] = torch.randn(shape, generator=generator) * self.noise
            draws["kept"] = (torch.rand(shape, generator=generator) >= self.dropout).float()
        return draws

    def training_batch(self, batch: Batch, draws: Draws) -> Batch:
        """Prepare distorted samples; noise and dropout come after the scaling, which gives features one unit."""
        x, index = super().training_batch(batch, draws)
        if "noise" in draws:
            x = (x + draws["noise"].to(x)) * draws["kept"].to(x)
        return x, index

    def loss(self, batch: Batch, draws: Draws) -> Losses:
        """Compute the weighted cross-entropy of one batch, and the share of samples that it predicts as taught."""
        x, index = batch
        logits, taught = self.head(self.net.encode(x)).float(), self.targets_of(index)
        errors = F.cross_entropy(logits, taught, reduction="none", label_smoothing=self.label_smoothing)
        loss = (errors * self.weights[taught]).mean()
        as_taught = (logits.detach().argmax(dim=1) == taught).float().mean()
        return {"loss": loss, "cross_entropy": loss, "as_taught": as_taught}

    def log_losses(self, losses: Losses, n_samples: int) -> None:
        """Log this step's values as `student/<name>_<round>`."""
        names = ("cross_entropy", "as_taught")
        log_step(self, {f"student/{name}_{self.round}": losses[name] for name in names})
