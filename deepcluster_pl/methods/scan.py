"""SCAN, semantic clustering by adopting nearest neighbors: a sample and its neighbors belong to one cluster."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.data.samples import Batch
from deepcluster_pl.errors import UserError
from deepcluster_pl.functional import (
    cluster_sizes,
    consistency_loss,
    groups_of_any_size,
    initial_heads,
    mean_entropy,
    nearest_neighbors,
    self_labeling_loss,
    size_divergence,
    size_entropy,
)
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.methods.step import Draws, Losses, OptimizerFactory, Place
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.distributed import (
    broadcast_from_rank_zero,
    gather_rows,
    mean_over_processes,
    rank_slice,
    sum_over_processes,
    world_size,
)
from deepcluster_pl.utils.random import generator_at, sample_rows
from deepcluster_pl.utils.ranges import Count, NonNegativeFloat, NonNegativeInt, Share

_COPIES = 1
"""Separates the random stream of copies from that of neighbors."""
_EVEN = 0.85
"""Share of log K that the entropy of sizes has, from which they count as even: those of a start, or of neighbors."""
_ROWS, _NEIGHBORS, _MOST_GROUPS = 5000, 10, 30
"""Samples whose neighbors tell the sizes of groups, at most, the neighbors of each, and the most groups looked for."""
_EVENLY = 0.2
"""Share of the samples that is spread evenly over the clusters asked for: fits end more uneven than they are asked."""
_SHARES = "scan_shares"


class SCAN(ClusteringModule):
    """Minimizes -log Σ_k p_k(x) p_k(x') - weight · H(mean p) (Van Gansbeke, Vandenhende and others 2020, equation 2).

    p is a softmax head on the embedding, and x' one of the sample's nearest neighbors in the embedding space, drawn
    again at every step. The second term prevents one cluster from holding all samples. Several heads train side by
    side: the first starts from the initial centers, the others at random. Predictions use the head with the lowest
    running loss. Labels are never read.

    Args:
        net, name, n_clusters, optimizer, augment: see `ClusteringModule`. Both samples of a pair are distorted, each by
            its own amounts; neighbors are of clean samples. Where the data holds distorted copies of its samples, as of
            pictures, training uses these.
        n_neighbors: number of neighbors of each sample, found at every refresh.
        n_heads: number of heads.
        entropy_weight: weight of the second term.
        sizes: of clusters that the second term asks for: `even` ones; or those of the `start`, for which the term is
            the divergence from the sizes of the initial clusters; or `auto`, those of the start where they are uneven,
            but those of groups by neighbors where these are uneven, whatever the start.
        self_label_from: optimizer step from which the best head is trained on its own clusters instead: confident
            clusters of clean samples are labels of the distorted ones. None for never.
        confidence: probability from which a cluster counts as confident.
        seed: seed of the neighbors drawn and of the heads' first weights.

    Attributes:
        centers: initial centers (K, D).
        head_losses: running mean (n_heads,) of each head's loss; zeros, and so the first head, before any step.
        shares: share (K,) of the samples that each cluster shall have; None for even ones.
    """

    distributable = True
    clusters_are_centers = False
    has_centers = False
    head_losses: Tensor
    shares: Tensor | None

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
        sizes: Literal["even", "start", "auto"] = "even",
    ) -> None:
        super().__init__(net, name, n_clusters, optimizer, augment)
        net.decoder.requires_grad_(False)
        self.heads = nn.Linear(net.latent_dim, n_heads * n_clusters)
        self.register_buffer("centers", torch.zeros(n_clusters, net.latent_dim))
        self.register_buffer("head_losses", torch.zeros(n_heads))
        self.n_neighbors = n_neighbors
        self.n_heads = n_heads
        self.entropy_weight = entropy_weight
        self.self_label_from = self_label_from
        self.confidence = confidence
        self.seed = seed
        self.sizes = sizes
        self.register_buffer("shares", None, persistent=False)

    def initialize(self, start: Initialization) -> None:
        """Set the first head to assign to the nearest initial center, and the others to random directions, as sharp."""
        if start.labels is not None:  # a saved model has none, and is not trained
            self.shares = self._shares(cluster_sizes(start.labels[start.labels >= 0], self.n_clusters))
        self.centers = start.centers.to(self.heads.weight)
        generator = torch.Generator().manual_seed(self.seed)
        directions = torch.randn(self.heads.weight.shape, generator=generator).to(self.centers)
        weight, bias = initial_heads(self.centers, directions)
        self.heads.weight.data.copy_(weight)
        self.heads.bias.data.copy_(bias)

    def assign(self, z: Tensor) -> Tensor:
        """Return probabilities (N, K) of the head with the lowest running loss."""
        best = self.head_losses.argmin().reshape(1)  # stays a tensor, so that a traced graph can follow
        return self.log_probabilities(z).index_select(0, best)[0].exp()

    def log_probabilities(self, z: Tensor) -> Tensor:
        """Return logarithms (n_heads, N, K) of every head's probabilities, in the heads' own type."""
        with torch.autocast(z.device.type, enabled=False):
            logits = F.linear(z.to(self.heads.weight), self.heads.weight, self.heads.bias)
            logits = logits.view(-1, self.n_heads, self.n_clusters)
            return torch.log_softmax(logits, dim=-1).transpose(0, 1)

    def make_targets(self, z: Tensor, q: Tensor) -> Tensor:
        """Return the row numbers (N, n_neighbors) of each sample's nearest neighbors in the embedding space."""
        if len(z) <= self.n_neighbors:
            raise UserError(f"method.n_neighbors={self.n_neighbors} should be below the {len(z)} samples; type fewer")
        if self.sizes == "auto" and self.global_step == 0:
            self._follow_neighbors(z, q)
        own = nearest_neighbors(z, self.n_neighbors, rows=rank_slice(len(z)))
        return gather_rows(own, len(z))

    @property
    def asks_for_uneven_sizes(self) -> bool:
        """Return True if the second term asks for sizes that are not even."""
        return self.shares is not None

    def describe_sizes(self) -> str:
        """Return which sizes were asked for, and how to ask for even ones."""
        if self.shares is None:
            return ""
        sizes = f"{self.shares.min():.0%} to {self.shares.max():.0%} of the samples"
        return f"asked for groups of {sizes}, as start or neighbors show them; method.sizes=even asks for even ones"

    @property
    def labels_itself(self) -> bool:
        """Return True if the coming step trains the best head on its own confident clusters."""
        return self.self_label_from is not None and self.global_step >= self.self_label_from

    def step_constants(self) -> tuple[bool]:
        """Return whether the coming step trains the best head on its own clusters."""
        return (self.labels_itself,)

    def draw(self, n_samples: int, place: Place) -> Draws:
        """Draw which neighbor each sample is paired with, which stored copy is used, and the distortion's amounts."""
        n_rows = n_samples if self.labels_itself else 2 * n_samples
        draws = super().draw(n_rows, place)
        if not self.labels_itself:
            generator = generator_at(self.seed, *place)
            draws["neighbor"] = torch.randint(self.n_neighbors, (n_samples, 1), generator=generator)
        if n_copies := self._data.part("fit").n_copies:
            generator = generator_at(self.seed, *place, _COPIES)
            draws["copy"] = torch.randint(n_copies + 1, (n_rows,), generator=generator)
        return draws

    def training_batch(self, batch: Batch, draws: Draws) -> Batch:
        """Prepare two rows for each sample: itself and a neighbor; or, to label itself, a clean and a distorted one."""
        x, index = batch
        if self.labels_itself:
            clean = self.net.prepare(x)
            distorted, _ = super().training_batch((self._copies(x, index, draws), index), draws)
            return torch.cat([clean, distorted]), index
        neighbors = self.targets_of(index).gather(1, draws["neighbor"].to(index.device))[:, 0]
        pairs = torch.cat([x, self._data.samples("fit", neighbors)])
        rows = torch.cat([index, neighbors])
        return super().training_batch((self._copies(pairs, rows, draws), rows), draws)

    def loss(self, batch: Batch, draws: Draws) -> Losses:
        """Compute the consistency and entropy of pairs; or, late in the fit if asked, the self-labeling loss."""
        x, index = batch
        if self.labels_itself:
            return self._self_labeling(*x.chunk(2))
        log_p, log_other = self.log_probabilities(self.net.encode(x)).chunk(2, dim=1)
        # Both terms are of the whole batch, however many processes share it
        over_all = partial(mean_over_processes, n=len(index))
        consistency, entropy = over_all(consistency_loss(log_p, log_other)), mean_entropy(log_p, over_all)
        unlike = -entropy if self.shares is None else size_divergence(log_p, self.shares, over_all)
        losses = consistency + self.entropy_weight * unlike
        # Update the running mean of each head's loss; the first step sets it
        current = losses.detach()
        self.head_losses.copy_(torch.where(self.head_losses == 0, current, self.head_losses.lerp(current, 0.02)))
        best = self.head_losses.argmin().reshape(1)  # stays a tensor, so that nothing waits for the device
        logged = {"consistency": consistency, "entropy": entropy}
        return {"loss": losses.mean(), **{name: each.index_select(0, best)[0] for name, each in logged.items()}}

    def _shares(self, counts: Tensor) -> Tensor | None:
        """Return the share (K,) of samples that each cluster shall have; None for even ones."""
        if self.sizes == "even" or (self.sizes == "auto" and size_entropy(counts) >= _EVEN):
            return None
        shares = (counts + 1) / (counts.sum() + len(counts))  # no share is zero
        return shares.to(self.heads.weight)

    @torch.no_grad()
    def _follow_neighbors(self, z: Tensor, q: Tensor) -> None:
        """Take the sizes of groups by neighbors, where these are uneven, and let all heads begin there.

        Heads that begin elsewhere can have these sizes too, and as low a loss, with pieces of a large group.

        Args:
            z: embeddings (N, D).
            q: probabilities (N, K), whose largest are the initial clusters.
        """
        rows = torch.from_numpy(sample_rows(len(z), _ROWS, self.seed)).to(z.device)
        if len(rows) <= max(_NEIGHBORS, self.n_clusters) or self.n_clusters > _MOST_GROUPS:
            return
        points, initial = z[rows].float(), q[rows].argmax(dim=1).cpu().numpy()

        def groups() -> Tensor | None:
            near = nearest_neighbors(points, _NEIGHBORS).cpu().numpy()
            found = groups_of_any_size(points.cpu().numpy(), near, self.n_clusters, self.seed, initial)
            return None if found is None else torch.from_numpy(found)

        groups_found = broadcast_from_rank_zero(groups)
        if groups_found is None:
            return
        found = groups_found.to(z.device)
        counts = cluster_sizes(found, self.n_clusters)
        if size_entropy(counts) >= _EVEN or bool((counts == 0).any()):
            return
        self.shares = ((1 - _EVENLY) * counts / counts.sum() + _EVENLY / len(counts)).to(self.heads.weight)
        one_hot = F.one_hot(found, self.n_clusters).to(points)
        means = (one_hot.T @ points / counts[:, None]).to(self.heads.weight)
        weight, bias = initial_heads(means, torch.zeros_like(means))
        self.heads.weight.data.copy_(weight.repeat(self.n_heads, 1))
        self.heads.bias.data.copy_(bias.repeat(self.n_heads))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Store the sizes that were found at the beginning of the fit."""
        checkpoint[_SHARES] = self.shares

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the sizes of the fit that is resumed."""
        if checkpoint.get(_SHARES) is not None:
            self.shares = checkpoint[_SHARES].to(self.heads.weight)

    @property
    def _data(self) -> ClusteringData:
        """Return the samples of the fit."""
        return self.trainer.datamodule.data  # type: ignore[attr-defined,no-any-return]

    def _copies(self, x: Tensor, index: Tensor, draws: Draws) -> Tensor:
        """Return the drawn copy of each sample; the samples themselves if the data holds no distorted copies."""
        return self._data.distorted("fit", index, draws["copy"]) if "copy" in draws else x

    def _self_labeling(self, clean: Tensor, distorted: Tensor) -> Losses:
        """Compute the loss of the best head on distorted samples, with the confident clusters of clean ones."""
        best = self.head_losses.argmin().reshape(1)
        with torch.no_grad():
            log_clean = self.log_probabilities(self.net.encode(clean)).index_select(0, best)[0]
        log_distorted = self.log_probabilities(self.net.encode(distorted)).index_select(0, best)[0]
        n = len(clean)
        own, sure = self_labeling_loss(log_clean, log_distorted, self.confidence, sum_over_processes)
        # The whole batch's loss is the sum of those of the processes, and gradients are averaged by their samples
        loss = own if world_size() == 1 else mean_over_processes(own / n, n) * sum_over_processes(own.new_tensor(n))
        return {"loss": loss, "self_label": loss, "sure": sure}
