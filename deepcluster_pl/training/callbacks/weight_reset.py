"""Every few epochs, send weights part of the way back to fresh ones and cluster the code anew."""

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

_DRAW = 1  # tells this generator from those that distort batches, which end in (batch, rank)


class WeightReset(pl.Callback):
    """BRB's resets, which free a fit from its first partition (Miklautz, Klein and others 2025, section 5).

    Before the first batch of every `interval`-th epoch: θ becomes keep · θ + (1 - keep) · φ with φ drawn by the net's
    own rule, the clean code is clustered again, the method takes over the new centers, the optimizer forgets its
    momenta, and `TargetRefresh` looks anew, with no earlier partition to compare with. A reset that fewer steps than a
    whole interval would follow is left out: the fit would end on its way back.

    A reset depends on the weights, the seed and the number of the epoch, and on no other random state.

    Args:
        interval: epochs between two resets.
        keep: share of a weight that stays.
        decoder: reset the decoder too, where it is trained.
        start: scikit-learn clusterer that finds the new centers.
        sample_size: rows of the fitted part that it sees.
        seed: decides these rows and the fresh weights.
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
        """`UserError` where a fit of `max_steps` optimizer steps has no room for a reset."""
        steps = 2 * self.interval * steps_per_epoch
        if max_steps < steps:
            raise UserError(
                f"fit.max_steps={max_steps} leaves no room for a reset with {self.interval} epochs before and "
                f"after it; type fit.max_steps={steps} or more, or a smaller callbacks.weight_reset.interval"
            )

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """A fit too short for a single reset is refused."""
        self.check(trainer.max_steps, self._steps(trainer) // self.interval)

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Reset where an epoch begins; checkpoints are written behind a batch, so none falls into a reset."""
        epoch = trainer.current_epoch
        if batch_idx > 0 or epoch == 0 or epoch % self.interval:
            return
        if trainer.max_steps - trainer.global_step < self._steps(trainer):
            return
        shrink_and_perturb(pl_module.net, self.keep, self.decoder, generator_at(self.seed, epoch, 0, 0, _DRAW))
        pl_module.initialize(self._cluster(trainer, pl_module))
        for optimizer in trainer.optimizers:
            optimizer.state.clear()
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, TargetRefresh):
                callback.refresh_now(trainer, pl_module)

    def _steps(self, trainer: pl.Trainer) -> int:
        return self.interval * -(-int(trainer.num_training_batches) // trainer.accumulate_grad_batches)

    def _cluster(self, trainer: pl.Trainer, module: Any) -> Initialization:
        """New centers from a sample of the fitted part's code, and the nearest of them to every sample."""
        z: Tensor = module.embed(trainer.datamodule.data.loader("fit"))  # type: ignore[attr-defined]
        if not bool(z.isfinite().all()):
            raise divergence_error("fit", trainer.global_step, "embeddings hold NaN or infinite values")
        rows = torch.as_tensor(sample_rows(len(z), self.sample_size, self.seed), device=z.device)
        centers = fit_initialization(self.start, z[rows]).centers.to(z)
        if len(centers) != module.n_clusters:
            raise UserError(f"the start gives {len(centers)} clusters after a reset, expected {module.n_clusters}")
        return Initialization(squared_distances(z, centers).argmin(dim=1), centers)


@torch.no_grad()
def shrink_and_perturb(net: Autoencoder, keep: float, decoder: bool, generator: torch.Generator) -> None:
    """Replace each trained weight θ by keep · θ + (1 - keep) · φ, all but the embedding layer's.

    Args:
        net: changed in place.
        keep: 1 changes nothing, 0 begins anew.
        decoder: whether the decoder's weights are changed too.
        generator: on the CPU; the fresh weights φ are drawn from it, the same on every device.
    """
    fresh = copy.deepcopy(net).cpu()
    fresh.initialize(generator)
    stays = {id(parameter) for parameter in net.embedding_layer.parameters()}
    parts: list[tuple[nn.Module, nn.Module]] = [(net.encoder, fresh.encoder)]
    if decoder:
        parts.append((net.decoder, fresh.decoder))
    for part, drawn in parts:
        for theta, phi in zip(part.parameters(), drawn.parameters(), strict=True):
            if theta.requires_grad and id(theta) not in stays:
                theta.mul_(keep).add_(phi.to(theta), alpha=1 - keep)
