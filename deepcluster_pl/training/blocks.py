"""Blocks of optimizer steps: a step engine takes most of them, and Lightning the last one of each block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol, runtime_checkable

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Timer

from deepcluster_pl.data.residency import ResidentLoader
from deepcluster_pl.data.samples import Batch
from deepcluster_pl.methods.step import LossModule
from deepcluster_pl.training.step_engine import StepEngine

_HOOKS_AROUND_A_STEP = (
    "on_before_zero_grad", "on_before_backward", "on_after_backward", "on_before_optimizer_step",
)  # fmt: skip
_OWN_STEP = ("training_step", "optimizer_step", "optimizer_zero_grad", "backward", "configure_gradient_clipping")


@runtime_checkable
class EndsBlock(Protocol):
    """Callback that wants Lightning to take some of the steps."""

    def is_due(self, trainer: pl.Trainer, step: int) -> bool:
        """Return whether the callback has work to do after this optimizer step.

        Args:
            trainer: the stage's Trainer.
            step: number of the step, from 1.
        """


class Blocks:
    """Loader that takes most optimizer steps itself, and yields the other batches to Lightning.

    Lightning spends half a millisecond around each step: hooks, timers, closures. A small net's step is shorter. So
    this loader stands between Lightning and the batches. Of each block it gives all batches but the last to a step
    engine. It counts them in Lightning's own counters, and calls the callbacks before and after each step, as
    Lightning does. So refreshes, schedules, checkpoints and a resumed run come out the same for any size of block.

    Lightning takes the last step of a block, of an epoch and of the stage, and every step at which a callback is due.
    Where the time of `trainer.max_time` is over it takes the coming step, and ends the stage as it ends any, with the
    scores of the held-out part.

    Args:
        loader: all batches, in memory.
        trainer: Trainer of the stage.
        module: the module to train.
        size: largest number of steps in a block; 1 leaves all of them to Lightning.
        make_engine: makes the engine, once the stage has an optimizer.
    """

    def __init__(
        self,
        loader: ResidentLoader,
        trainer: pl.Trainer,
        module: LossModule,
        size: int,
        make_engine: Callable[[pl.Trainer, LossModule], StepEngine],
    ) -> None:
        self.loader = loader
        self.trainer = trainer
        self.module = module
        self.size = size
        self.make_engine = make_engine
        self._engine: StepEngine | None = None

    def __len__(self) -> int:
        """Return the number of batches, since Lightning's counters count steps."""
        return len(self.loader)

    def __iter__(self) -> Iterator[Batch]:
        callbacks: list[pl.Callback] = self.trainer.callbacks  # type: ignore[attr-defined]
        self._before = [c for c in callbacks if _overrides(c, "on_train_batch_start", pl.Callback)]
        self._timers = [c for c in callbacks if isinstance(c, Timer)]
        after = [c for c in callbacks if _overrides(c, "on_train_batch_end", pl.Callback)]
        self._after = [c for c in after if c not in self._timers]
        self._ending = [c for c in callbacks if isinstance(c, EndsBlock)]
        taken = 0
        for batch in self.loader:
            if taken + 1 >= self.size or self._ends_block():
                taken = 0
                yield batch
                continue
            self._take(batch)
            taken += 1
            if self.trainer.should_stop:
                return

    def _ends_block(self) -> bool:
        """Return whether Lightning has to take the coming step."""
        trainer, step, loop = self.trainer, self.trainer.global_step + 1, self.trainer.fit_loop.epoch_loop
        return (
            loop.restarting  # Lightning is yet to find its place after a resume
            or loop.batch_progress.current.ready + 1 >= len(self)
            or step == trainer.max_steps
            or any(time_is_over(timer) for timer in self._timers)
            or any(callback.is_due(trainer, step) for callback in self._ending)
        )

    def _take(self, batch: Batch) -> None:
        """Take one step, and count it as Lightning's `_TrainingEpochLoop.advance` does."""
        trainer, module = self.trainer, self.module
        if self._engine is None:
            self._engine = self.make_engine(trainer, module)
        loop = trainer.fit_loop.epoch_loop
        progress, optimizer = loop.batch_progress, loop.automatic_optimization.optim_progress.optimizer
        logs = trainer._logger_connector if trainer._logger_connector.should_update_logs else None
        number = progress.current.ready
        batch = (batch[0].to(module.device), batch[1].to(module.device))
        # Before the step
        trainer.fit_loop._data_fetcher.fetched += 1  # type: ignore[union-attr]  # by this, Lightning knows the last one
        progress.increment_ready()
        if logs is not None:
            logs.on_batch_start(batch)
        for callback in self._before:
            callback.on_train_batch_start(trainer, module, batch, number)
        module.on_train_batch_start(batch, number)
        progress.increment_started()
        # The step
        optimizer.step.increment_ready()
        n = len(batch[0])
        losses = self._engine(batch, module.draw(n, (trainer.current_epoch, number, 0)))
        for count in ("ready", "started", "completed"):
            getattr(optimizer.zero_grad, f"increment_{count}")()
        module._current_fx_name = "training_step"  # where `log` may be called
        module.log_losses(losses, n)
        module._current_fx_name = None
        optimizer.step.increment_completed()
        progress.increment_processed()
        # After the step
        outputs: Any = {"loss": losses["loss"]}
        for callback in self._after:
            callback.on_train_batch_end(trainer, module, outputs, batch, number)
        module.on_train_batch_end(outputs, batch, number)
        if logs is not None:
            logs.on_batch_end()
        progress.increment_completed()
        if logs is not None:
            logs.update_train_step_metrics()
        loop._batches_that_stepped += 1


def obstacle_to_blocks(trainer: pl.Trainer, module: pl.LightningModule) -> str:
    """Return the reason why Lightning has to take every step itself.

    Args:
        trainer: Trainer of the stage.
        module: the module to train.

    Returns:
        The reason in a few words; an empty string if there is none.
    """
    if not isinstance(module, LossModule) or any(_overrides(module, name, LossModule) for name in _OWN_STEP):
        return f"{type(module).__name__} has a training step of its own"
    if not type(module).log_losses.__module__.startswith("deepcluster_pl."):
        return f"{type(module).__name__} logs its losses in its own way"
    if trainer.world_size > 1:
        return "several processes share each step"
    if trainer.accumulate_grad_batches > 1:
        return "gradients add up over several batches"
    if trainer.precision == "16-mixed":
        return "16-mixed changes the scale of the loss from step to step"
    for owner, base in ((module, pl.LightningModule), *((callback, pl.Callback) for callback in trainer.callbacks)):  # type: ignore[attr-defined]
        for hook in _HOOKS_AROUND_A_STEP:
            if _overrides(owner, hook, base):
                return f"{type(owner).__name__} is called within each step"
    return ""


def time_is_over(timer: Timer) -> bool:
    """Return whether a stage used up the time that `trainer.max_time` gives it."""
    remaining = timer.time_remaining()
    return remaining is not None and remaining <= 0


def _overrides(owner: object, name: str, base: type) -> bool:
    """Return whether an object's class has its own version of a method."""
    return getattr(type(owner), name) is not getattr(base, name)
