"""Compute the targets from all fitted samples every few steps, and stop a fit that has converged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import pytorch_lightning as pl
import torch
from torch import Tensor

from deepcluster_pl.errors import divergence_error
from deepcluster_pl.functional import reseeded_centers, share_changed
from deepcluster_pl.nets.embedding import embed_part
from deepcluster_pl.utils.ranges import Count, Share


@dataclass(frozen=True)
class Refresh:
    """Result of one refresh: the embeddings and clusters of all fitted samples.

    Attributes:
        step: number of optimizer steps taken before.
        z: embeddings (N, D).
        q: probabilities (N, K).
        clusters: most probable cluster (N,) of each sample.
        changed: share of samples whose cluster differs from the last refresh; None at the first refresh, and where
            centers were moved.
        n_reseeded: number of empty clusters whose centers were moved.
    """

    step: int
    z: Tensor
    q: Tensor
    clusters: Tensor
    changed: float | None
    n_reseeded: int = 0


@runtime_checkable
class RefreshListener(Protocol):
    """Callback that is called at every refresh."""

    def on_refresh(self, trainer: pl.Trainer, module: pl.LightningModule, refresh: Refresh) -> None:
        """Use the result of a refresh; the new targets are in place already.

        Args:
            trainer: the fit's Trainer.
            module: the method.
            refresh: the result.
        """


class TargetRefresh(pl.Callback):
    """Refreshes of `module.targets` from all fitted samples, before the first step and after every interval.

    The method's `make_targets` computes the targets, such as DEC's target distribution p. They are constant between
    refreshes. Each refresh compares the new clusters with those of the refresh before. Training stops, with weights
    and targets untouched, when less than a share `tol` of the samples changed their cluster. The targets belong to
    this callback, which stores them in checkpoints.

    Args:
        update_interval: number of optimizer steps between refreshes.
        tol: share of changed samples below which the fit has converged; 0 never stops it.
        per_epoch: count `update_interval` in epochs.
        reseed_empty: move the center of an empty cluster to the sample farthest from its own center, as scikit-learn's
            k-means does, and continue. It has an effect on methods whose clusters are centers alone. No published
            method does this.

    Attributes:
        converged: whether the last refresh stopped the fit.
    """

    def __init__(self, update_interval: Count, tol: Share, per_epoch: bool, reseed_empty: bool = False) -> None:
        self.update_interval = update_interval
        self.tol = tol
        self.per_epoch = per_epoch
        self.reseed_empty = reseed_empty
        self.converged = False
        self._targets: Tensor | None = None
        self._clusters: Tensor | None = None
        self._changed: float | None = None
        self._last_step = 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Refresh for the first time, or give the method the targets of a checkpoint."""
        if self._clusters is None:
            self._refresh(trainer, pl_module)
            return
        self._give_targets(pl_module)
        self._stop_if_converged(trainer)  # the checkpoint may be of the step at which the fit converged

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Refresh when an interval is over; a batch whose gradients were only accumulated is no new step."""
        if trainer.global_step != self._last_step and self.is_due(trainer, trainer.global_step):
            self._refresh(trainer, pl_module)

    def is_due(self, trainer: pl.Trainer, step: int) -> bool:
        """Return whether an interval is over after this many optimizer steps."""
        steps_per_epoch = -(-int(trainer.num_training_batches) // trainer.accumulate_grad_batches)
        return step % (self.update_interval * (steps_per_epoch if self.per_epoch else 1)) == 0

    def refresh_now(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Refresh now, without a comparison: new clusters have nothing in common with the last ones.

        Args:
            trainer: the fit's Trainer.
            pl_module: the method.
        """
        self._clusters = None
        self._refresh(trainer, pl_module)

    def state_dict(self) -> dict[str, Any]:
        """Return the exact targets, and the clusters that the next refresh compares with."""
        return {
            "targets": self._targets,
            "clusters": self._clusters,
            "last_step": self._last_step,
            "changed": self._changed,
            "converged": self.converged,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the state that `state_dict` returned."""
        self._targets = state_dict["targets"]
        self._clusters = state_dict["clusters"]
        self._last_step = state_dict["last_step"]
        self._changed = state_dict["changed"]

    def _refresh(self, trainer: pl.Trainer, module: Any) -> None:
        """Compute clusters and targets, stop a fit that has converged, and call the listeners."""
        # Embed and assign all samples
        z = embed_part(module.net, trainer.datamodule.data, "fit")  # type: ignore[attr-defined]
        if not bool(torch.isfinite(z).all()):
            raise divergence_error("fit", trainer.global_step, "embeddings hold NaN or infinite values")
        q, n_reseeded = self._assign_and_reseed(module, z)
        # Compare the clusters with the last ones; moved centers leave nothing to compare
        clusters = q.argmax(dim=1).cpu()
        before = None if n_reseeded else self._clusters
        self._changed = None if before is None else share_changed(before, clusters)
        self._clusters = clusters
        self._last_step = trainer.global_step
        if not self._stop_if_converged(trainer):
            self._targets = module.make_targets(z, q)
            self._give_targets(module)
        refresh = Refresh(trainer.global_step, z, q, clusters, self._changed, n_reseeded)
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, RefreshListener):
                callback.on_refresh(trainer, module, refresh)

    def _assign_and_reseed(self, module: Any, z: Tensor) -> tuple[Tensor, int]:
        """Return probabilities (N, K) of embeddings, and the number of centers that were moved before."""
        q = module.assign_all(z)
        if not (self.reseed_empty and module.clusters_are_centers):
            return q, 0
        centers, moved = reseeded_centers(z, q.argmax(dim=1), module.centers.detach())
        if not bool(moved.any()):
            return q, 0
        module.move_centers(centers, moved)
        return module.assign_all(z), int(moved.sum())

    def _stop_if_converged(self, trainer: pl.Trainer) -> bool:
        """Stop the fit if fewer samples than `tol` changed their cluster; return whether they did."""
        self.converged = self._changed is not None and self._changed < self.tol
        trainer.should_stop |= self.converged
        return self.converged

    def _give_targets(self, module: Any) -> None:
        """Give the targets to the method, on its device."""
        self._targets = None if self._targets is None else self._targets.to(module.device)
        module.targets = self._targets
