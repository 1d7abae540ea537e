"""Reset weights part of the way to fresh ones every few epochs, and cluster the embeddings again."""

from __future__ import annotations

import copy
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from deepcluster_pl.errors import UserError, divergence_error
from deepcluster_pl.functional import squared_distances
from deepcluster_pl.methods.initialization.initial_clustering import Initialization, fit_initialization
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.training.callbacks.target_refresh import TargetRefresh
from deepcluster_pl.utils.random import generator_at, sample_rows
from deepcluster_pl.utils.ranges import Count, NonNegativeInt, Share

_STREAM = 1
"""Separates this random stream from the distortions of batches, whose place ends with the rank."""


class WeightReset(pl.Callback):
    """Resets of BRB, which free a fit from its first partition (Miklautz, Klein and others 2025, section 5).

    A reset comes before the first batch of every `interval`-th epoch:

    - Each weight θ becomes keep · θ + (1 - keep) · φ, with φ drawn by the net's own rule.
    - The embeddings of clean samples are clustered again, and the method gets the new centers.
    - The optimizer's momenta are cleared.
    - `TargetRefresh` refreshes, without a comparison with the last clusters.

    No reset comes when less than a whole interval would follow, because the fit would end before it has recovered. A
    reset depends on the weights, the seed and the number of the epoch, and on no other random state.

    Args:
        interval: number of epochs between two resets.
        keep: share of a weight that stays.
        decoder: whether the decoder's weights are reset too, where they are trained.
        start: scikit-learn clusterer that finds the new centers.
        sample_size: number of rows of the fitted part that it is fitted to.
        seed: seed of the choice of rows and of the fresh weights.

    Attributes:
        distributable: False, since a reset works in one process.
    """

    distributable = False

    def __init__(
        self, interval: Count, keep: Share, decoder: bool, start: Any, sample_size: Count, seed: NonNegativeInt
    ) -> None:
        self.interval = interval
        self.keep = keep
        self.decoder = decoder
        self.start = start
        self.sample_size = sample_size
        self.seed = seed

    def check(self, max_steps: int, steps_per_epoch: int) -> None:
        """Raise `UserError` if a fit is too short for a reset.

        Args:
            max_steps: number of optimizer steps of the fit.
            steps_per_epoch: number of optimizer steps of an epoch.
        """
        steps = 2 * self.interval * steps_per_epoch
        if max_steps < steps:
            raise UserError(
                f"fit.max_steps={max_steps} leaves no room for a reset with {self.interval} epochs before and "
                f"after it; type fit.max_steps={steps} or more, or a smaller callbacks.weight_reset.interval"
            )

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Refuse a fit that is too short for a reset."""
        self.check(trainer.max_steps, self._steps(trainer) // self.interval)

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Reset at the beginning of an epoch; checkpoints are written after a batch, so none is written in a reset."""
        epoch = trainer.current_epoch
        if batch_idx > 0 or epoch == 0 or epoch % self.interval:
            return
        if trainer.max_steps - trainer.global_step < self._steps(trainer):
            return
        # Reset the weights, and find new centers
        shrink_and_perturb(pl_module.net, self.keep, self.decoder, generator_at(self.seed, epoch, 0, 0, _STREAM))
        pl_module.initialize(self._new_clusters(trainer, pl_module))
        # Forget momenta and targets, which belong to the earlier weights
        for optimizer in trainer.optimizers:
            optimizer.state.clear()
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, TargetRefresh):
                callback.refresh_now(trainer, pl_module)

    def _steps(self, trainer: pl.Trainer) -> int:
        """Return the number of optimizer steps of an interval."""
        return self.interval * -(-int(trainer.num_training_batches) // trainer.accumulate_grad_batches)

    def _new_clusters(self, trainer: pl.Trainer, module: Any) -> Initialization:
        """Return new centers, found on a sample of the fitted part's embeddings, and the nearest one of each sample."""
        z: Tensor = module.embed(trainer.datamodule.data.loader("fit"))  # type: ignore[attr-defined]
        if not bool(z.isfinite().all()):
            raise divergence_error("fit", trainer.global_step, "embeddings hold NaN or infinite values")
        rows = torch.as_tensor(sample_rows(len(z), self.sample_size, self.seed), device=z.device)
        centers = fit_initialization(self.start, z[rows]).centers.to(z)
        if len(centers) != module.n_clusters:
            raise UserError(f"start: found {len(centers)} clusters after a reset, expected {module.n_clusters}")
        return Initialization(squared_distances(z, centers).argmin(dim=1), centers)


@torch.no_grad()
def shrink_and_perturb(net: Autoencoder, keep: float, decoder: bool, generator: torch.Generator) -> None:
    """Replace each trained weight θ by keep · θ + (1 - keep) · φ, except those of the embedding layer.

    Args:
        net: the net, changed in place.
        keep: share of a weight that stays; 1 changes nothing, 0 makes all weights fresh.
        decoder: whether the decoder's weights are changed too.
        generator: generator on the CPU, from which the fresh weights φ are drawn, the same on every device.
    """
    # Draw fresh weights for the whole net
    fresh = copy.deepcopy(net).cpu()
    fresh.initialize(generator)
    unchanged = {id(parameter) for parameter in net.embedding_layer.parameters()}
    parts: list[tuple[nn.Module, nn.Module]] = [(net.encoder, fresh.encoder)]
    if decoder:
        parts.append((net.decoder, fresh.decoder))
    # Mix them into the trained ones
    for part, drawn in parts:
        for theta, phi in zip(part.parameters(), drawn.parameters(), strict=True):
            if theta.requires_grad and id(theta) not in unchanged:
                theta.mul_(keep).add_(phi.to(theta), alpha=1 - keep)
