"""Semantic clustering by adopting nearest neighbors: a sample and its neighbors shall be in one cluster."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deepcluster_pl.data.augmentation import Affine, at_step
from deepcluster_pl.data.samples import Batch
from deepcluster_pl.errors import UserError
from deepcluster_pl.functional import consistency_loss, mean_entropy, nearest_neighbors
from deepcluster_pl.methods.base import ClusteringModule, OptimizerFactory
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.metric_logging import log_step
from deepcluster_pl.utils.random import generator_at
from deepcluster_pl.utils.ranges import Count, NonNegativeFloat, NonNegativeInt, Share

_COPIES = 1


class SCAN(ClusteringModule):
    """Minimizes -log Σ_k p_k(x) p_k(x') - weight · H(mean p) (Van Gansbeke, Vandenhende and others 2020, equation 2).

    p is a softmax head on the embedding and x' one of the sample's nearest neighbors in the code, drawn anew at every
    step. The second term keeps one cluster from taking all. Several heads learn side by side: the first begins with the
    start's centers, the others at random. The one whose loss is lowest speaks for the method; labels have no say.

    Args:
        net: pretrained autoencoder; the run supplies it.
        name: names the run's folder and its tables.
        n_clusters: K.
        n_neighbors: of each sample, mined at every refresh.
        n_heads: that learn side by side.
        entropy_weight: of the second term.
        self_label_from: optimizer step from which the head that speaks teaches itself instead, with the clusters that
            it is sure of on clean samples as labels of the distorted ones; null never does.
        confidence: share from which it counts as sure.
        optimizer: makes the optimizer of the encoder's and the heads' parameters.
        augment: distorts both samples of every pair, each by its own amounts; neighbors are of clean samples. Where
            the data holds distorted copies of its samples, as of pictures, these are what is trained on.
        seed: decides which neighbors are drawn, and where heads begin.

    Attributes:
        centers: the start's (K, D).
        head_losses: running mean (n_heads,) of each head's loss; zeros, and so the first head, before any step.
    """

    learns = True
    clusters_are_centers = False
    has_centers = False

    def __init__(
        self,
        net: Autoencoder,
        name: str,
        n_clusters: Count,
        n_neighbors: Count,
        n_heads: Count,
        entropy_weight: NonNegativeFloat,
        self_label_from: NonNegativeInt | None,
        confidence: Share,
        optimizer: OptimizerFactory,
        augment: Affine | None,
        seed: NonNegativeInt,
    ) -> None:
        super().__init__(net, name, n_clusters)
        if augment is not None:
            augment.check(net.input_shape)
        net.decoder.requires_grad_(False)
        self.heads = nn.Linear(net.latent_dim, n_heads * n_clusters)
        self.register_buffer("centers", torch.zeros(n_clusters, net.latent_dim))
        self.register_buffer("head_losses", torch.zeros(n_heads))
        self.head_losses: Tensor
        self.n_neighbors = n_neighbors
        self.n_heads = n_heads
        self.entropy_weight = entropy_weight
        self.self_label_from = self_label_from
        self.confidence = confidence
        self.optimizer = optimizer
        self.augment = augment
        self.seed = seed

    def initialize(self, start: Initialization) -> None:
        """The first head assigns to the start's nearest center; the others cut the code at random, as sharply."""
        self.centers = start.centers.to(self.heads.weight)
        k, d = self.centers.shape
        middle = self.centers.mean(dim=0)
        apart = torch.pdist(self.centers).square().mean() if k > 1 else self.centers.new_zeros(())
        apart = torch.where(apart > 0, apart, 1.0)
        generator = torch.Generator().manual_seed(self.seed)
        directions = torch.randn(self.n_heads * k, d, generator=generator).to(middle)
        weight = directions / (apart / 2).sqrt()  # |μ - middle|² is half of what centers are apart, on average
        weight[:k] = 4 / apart * (self.centers - middle)
        bias = -weight @ middle
        bias[:k] = -2 / apart * (self.centers.square().sum(dim=1) - middle.square().sum())
        self.heads.weight.data.copy_(weight)
        self.heads.bias.data.copy_(bias)

    def assign(self, z: Tensor) -> Tensor:
        """Shares (N, K) of the head that speaks."""
        best = self.head_losses.argmin().reshape(1)  # stays a tensor, so that a traced graph can follow
        return self.log_shares(z).index_select(0, best)[0].exp()

    def log_shares(self, z: Tensor) -> Tensor:
        """Logarithms (n_heads, N, K) of every head's shares, in the heads' own type under any precision."""
        with torch.autocast(z.device.type, enabled=False):
            logits = F.linear(z.to(self.heads.weight), self.heads.weight, self.heads.bias)
            logits = logits.view(-1, self.n_heads, self.n_clusters)
            return torch.log_softmax(logits, dim=-1).transpose(0, 1)

    def make_targets(self, z: Tensor, q: Tensor) -> Tensor:
        """The nearest neighbors (N, n_neighbors) of each sample in the code."""
        if len(z) <= self.n_neighbors:
            raise UserError(f"method.n_neighbors={self.n_neighbors} should be below the {len(z)} samples; type fewer")
        return nearest_neighbors(z, self.n_neighbors)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Consistency and evenness of pairs; or, late in the fit if asked, what the head is sure of."""
        if self.self_label_from is not None and self.global_step >= self.self_label_from:
            return self._self_labeling(batch, batch_idx)
        if self.targets is None:
            raise RuntimeError("SCAN has no neighbors; add the TargetRefresh callback")
        x, index = batch
        partners = self._partners(index, batch_idx)
        pairs = torch.cat([x, self.trainer.datamodule.samples("fit", partners)])  # type: ignore[attr-defined]
        pairs = self._copies(pairs, torch.cat([index, partners]), batch_idx)
        z = self.net.encode(self.net.prepare(pairs, at_step(self.augment, self, batch_idx)))
        log_p, log_other = self.log_shares(z).chunk(2, dim=1)
        consistency, entropy = consistency_loss(log_p, log_other), mean_entropy(log_p)
        losses = consistency - self.entropy_weight * entropy
        fresh = losses.detach()
        self.head_losses.copy_(torch.where(self.head_losses == 0, fresh, self.head_losses.lerp(fresh, 0.02)))
        best = self.head_losses.argmin()
        log_step(self, {"fit/consistency": consistency[best], "fit/entropy": entropy[best]})
        return losses.mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """One optimizer for encoder and heads."""
        return self.optimizer(parameter for parameter in self.parameters() if parameter.requires_grad)

    def _partners(self, index: Tensor, batch_idx: int) -> Tensor:
        """For each sample the row of one of its neighbors."""
        generator = generator_at(self.seed, self.current_epoch, batch_idx, self.global_rank)
        which = torch.randint(self.n_neighbors, (len(index), 1), generator=generator).to(index.device)
        return self.targets[index].gather(1, which)[:, 0]  # type: ignore[index]

    def _copies(self, x: Tensor, index: Tensor, batch_idx: int) -> Tensor:
        """The samples x at these rows; where the data holds distorted copies, for each one of those, drawn anew."""
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        n_copies = data.part("fit").n_copies
        if n_copies == 0:
            return x
        generator = generator_at(self.seed, self.current_epoch, batch_idx, self.global_rank, _COPIES)
        which = torch.randint(n_copies + 1, (len(index),), generator=generator)
        return data.distorted("fit", index, which)  # type: ignore[no-any-return]

    def _self_labeling(self, batch: Batch, batch_idx: int) -> Tensor:
        """Cross-entropy of distorted samples with what their clean ones surely are; every cluster weighs the same."""
        x, index = batch
        best = int(self.head_losses.argmin())
        with torch.no_grad():
            share, cluster = self.log_shares(self.net.encode(self.net.prepare(x)))[best].exp().max(dim=1)
        sure = share >= self.confidence
        x = self._copies(x, index, batch_idx)
        log_p = self.log_shares(self.net.encode(self.net.prepare(x, at_step(self.augment, self, batch_idx))))[best]
        sizes = torch.bincount(cluster[sure], minlength=self.n_clusters)
        weight = sure.float() / sizes[cluster].clamp_min(1) / (sizes > 0).sum().clamp_min(1)
        loss = (weight * F.nll_loss(log_p, cluster, reduction="none")).sum()
        log_step(self, {"fit/self_label": loss, "fit/sure": sure.float().mean()})
        return loss
