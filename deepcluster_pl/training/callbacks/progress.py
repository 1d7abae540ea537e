"""Show the progress of training: a live bar on a terminal, a plain line every few seconds anywhere else."""

from __future__ import annotations

import time
from typing import Any

import pytorch_lightning as pl
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deepcluster_pl.training.callbacks.target_refresh import Refresh


class ProgressLine(pl.Callback):
    """Line with the stage, epochs or steps done, the loss, and the share of samples that changed their cluster.

    The loss is read from the device at most a few times a second, so that its display costs no time.

    Args:
        stage: name of the stage, at the beginning of the line.
        console: prints the line.
        every_s: least number of seconds between two plain lines.

    Attributes:
        changed: share of samples that changed their cluster at the last refresh; None before the second one.
    """

    def __init__(self, stage: str, console: Console, every_s: float = 10.0) -> None:
        self.stage = stage
        self.console = console
        self.every_s = every_s
        self.changed: float | None = None
        self._loss: Any = None  # stays on the device until it is shown
        self._bar: Progress | None = None
        self._shown_at = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Open the bar."""
        self._shown_at = time.monotonic()
        if self.console.is_terminal:
            unit = "epochs" if self._counts_epochs(trainer) else "steps"
            columns = (
                TextColumn(f"{self.stage:<9}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit),
                TimeRemainingColumn(), TextColumn("{task.fields[note]}"),
            )  # fmt: skip
            self._bar = Progress(*columns, console=self.console)
            self._bar.add_task(self.stage, total=self._total(trainer), note="")
            self._bar.start()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Show the newest loss, if enough time has passed."""
        self._loss = outputs["loss"]
        now = time.monotonic()
        if now - self._shown_at < (0.2 if self._bar else self.every_s):
            return
        self._shown_at = now
        self._show(trainer)

    def on_refresh(self, trainer: pl.Trainer, module: pl.LightningModule, refresh: Refresh) -> None:
        """Note the share of samples that changed; plain output gets a line for it."""
        self.changed = refresh.changed
        if self._bar is None and refresh.changed is not None:
            self.console.print(f"{self.stage:<9} step {refresh.step:>6}  changed {refresh.changed:.2%}")

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print the last state, and close the bar."""
        self._show(trainer)
        self._close()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Close the bar, so that the terminal is left as it was."""
        self._close()

    def _show(self, trainer: pl.Trainer) -> None:
        """Update the bar, or print a plain line."""
        note = "" if self._loss is None else f"loss {float(self._loss):.4g}"
        note += "" if self.changed is None else f"  changed {self.changed:.2%}"
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=self._done(trainer), note=note)
            return
        unit = "epoch" if self._counts_epochs(trainer) else "step"
        self.console.print(f"{self.stage:<9} {unit} {self._done(trainer):>6}/{self._total(trainer)}  {note}")

    def _close(self) -> None:
        """Stop the bar, if there is one."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    @staticmethod
    def _counts_epochs(trainer: pl.Trainer) -> bool:
        """Return whether a stage is limited by epochs, as pretraining is, and not by steps."""
        return trainer.max_epochs is not None and trainer.max_epochs > 0

    def _done(self, trainer: pl.Trainer) -> int:
        """Return the number of epochs or steps done."""
        if not self._counts_epochs(trainer):
            return trainer.global_step
        steps_per_epoch = max(1, -(-int(trainer.num_training_batches) // trainer.accumulate_grad_batches))
        return min(self._total(trainer), trainer.global_step // steps_per_epoch)

    def _total(self, trainer: pl.Trainer) -> int:
        """Return the number of epochs or steps of the whole stage."""
        return int(trainer.max_epochs or 1) if self._counts_epochs(trainer) else trainer.max_steps
