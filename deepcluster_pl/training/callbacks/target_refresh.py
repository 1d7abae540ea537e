"""Look at all samples every few steps: new targets, and a stop once assignments settle."""

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
    """One look at all fitted samples.

    Attributes:
        step: optimizer steps taken before it.
        z: embeddings (N, D).
        q: soft assignment (N, K).
        clusters: argmax (N,) of q.
        changed: share of samples whose cluster differs from the last refresh; None at the first, or with centers moved.
        n_reseeded: clusters that were empty, and whose centers were moved.
    """

    step: int
    z: Tensor
    q: Tensor
    clusters: Tensor
    changed: float | None
    n_reseeded: int = 0


@runtime_checkable
class RefreshListener(Protocol):
    """A callback that wants to see every refresh."""

    def on_refresh(self, trainer: pl.Trainer, module: pl.LightningModule, refresh: Refresh) -> None:
        """Called after the new targets are in place."""


class TargetRefresh(pl.Callback):
    """Sets `module.targets` from the whole fitted part, before the first step and every interval after it.

    What the targets are is the method's `make_targets`: DEC's target distribution p, for one. Between refreshes they
    are constant. At each one the new assignment is compared with the last: from the first interval on, training
    stops, weights and targets untouched, when fewer than `tol` of the samples changed cluster. The targets belong to
    this callback and go with its state into checkpoints.

    Args:
        update_interval: optimizer steps between refreshes.
        tol: share of changed samples below which training stops; 0 never stops.
        per_epoch: count `update_interval` in epochs instead.
        reseed_empty: move the center of a cluster that holds no sample onto the sample farthest from its own center, as
            scikit-learn's k-means does, and go on; of methods that are nothing but centers. No published method does.
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
        """Look for the first time, or hand back the targets that a checkpoint brought."""
        if self._clusters is None:
            self._refresh(trainer, pl_module)
            return
        self._hand_over(pl_module)
        self._stop_if_converged(trainer)  # the checkpoint may be of the very step that converged

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Refresh when an interval is full; a step that only accumulated gradients is not a new one."""
        steps_per_epoch = -(-int(trainer.num_training_batches) // trainer.accumulate_grad_batches)
        interval = self.update_interval * (steps_per_epoch if self.per_epoch else 1)
        if trainer.global_step != self._last_step and trainer.global_step % interval == 0:
            self._refresh(trainer, pl_module)

    def refresh_now(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Refresh now, as if for the first time: clusters found anew have nothing in common with the last ones."""
        self._clusters = None
        self._refresh(trainer, pl_module)

    def state_dict(self) -> dict[str, Any]:
        """The exact targets, and what the next refresh compares with."""
        return {
            "targets": self._targets,
            "clusters": self._clusters,
            "last_step": self._last_step,
            "changed": self._changed,
            "converged": self.converged,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` saved."""
        self._targets = state_dict["targets"]
        self._clusters = state_dict["clusters"]
        self._last_step = state_dict["last_step"]
        self._changed = state_dict["changed"]

    def _refresh(self, trainer: pl.Trainer, module: Any) -> None:
        z = embed_part(module.net, trainer.datamodule.data, "fit")  # type: ignore[attr-defined]
        if not bool(torch.isfinite(z).all()):
            raise divergence_error("fit", trainer.global_step, "embeddings hold NaN or infinite values")
        q, n_reseeded = self._assigned(module, z)
        clusters = q.argmax(dim=1).cpu()
        before = None if n_reseeded else self._clusters
        self._changed = None if before is None else share_changed(before, clusters)
        self._clusters = clusters
        self._last_step = trainer.global_step
        if not self._stop_if_converged(trainer):
            self._targets = module.make_targets(z, q)
            self._hand_over(module)
        refresh = Refresh(trainer.global_step, z, q, clusters, self._changed, n_reseeded)
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, RefreshListener):
                callback.on_refresh(trainer, module, refresh)

    def _assigned(self, module: Any, z: Tensor) -> tuple[Tensor, int]:
        """Q (N, K) of embeddings, and how many centers had to be moved first, where that is wanted."""
        q = module.assign_all(z)
        if not (self.reseed_empty and module.clusters_are_centers):
            return q, 0
        centers, moved = reseeded_centers(z, q.argmax(dim=1), module.centers.detach())
        if not bool(moved.any()):
            return q, 0
        module.move_centers(centers, moved)
        return module.assign_all(z), int(moved.sum())

    def _stop_if_converged(self, trainer: pl.Trainer) -> bool:
        self.converged = self._changed is not None and self._changed < self.tol
        trainer.should_stop |= self.converged
        return self.converged

    def _hand_over(self, module: Any) -> None:
        self._targets = None if self._targets is None else self._targets.to(module.device)
        module.targets = self._targets
