"""Write checkpoints during training: one every few minutes, and one after the step at which a signal arrives."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

import pytorch_lightning as pl

from deepcluster_pl.errors import InterruptedRun
from deepcluster_pl.utils.distributed import any_process


class InterruptionHandler(pl.Callback):
    """Checkpoints at intervals, and an orderly end of training at SIGINT, SIGTERM or SIGHUP.

    At the first signal the step is finished, a checkpoint is written, and `InterruptedRun` is raised. A second signal
    ends training at once. Checkpoints are written after all other callbacks of a step, when all state belongs
    together.

    Args:
        folder: the run folder.
        checkpoint: file to write; it replaces the last one.
        interval_s: seconds between two checkpoints.

    Attributes:
        has_begun: whether training has begun, so that a checkpoint to resume from was restored.
    """

    def __init__(self, folder: Path, checkpoint: Path, interval_s: float) -> None:
        self.folder = folder
        self.checkpoint = checkpoint
        self.interval_s = interval_s
        self.has_begun = False
        self._saved_at = time.monotonic()
        self._signal: int | None = None
        self._previous_handlers: dict[int, Any] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Install the signal handlers; the system allows that in the main thread only."""
        self.has_begun = True
        self._saved_at = time.monotonic()
        if threading.current_thread() is not threading.main_thread():
            return
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            # An ignored signal stays ignored: nohup ignores SIGHUP
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self._previous_handlers[number] = signal.signal(number, self._on_signal)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Write a checkpoint if it is time, or if a signal arrived; then stop, all processes after the same step."""
        if trainer.world_size > 1 and trainer.global_step % (trainer.log_every_n_steps or 50):  # type: ignore[attr-defined]
            return
        if any_process(self._signal is not None):
            trainer.save_checkpoint(self.checkpoint)
            raise InterruptedRun(self._signal or signal.SIGTERM, self.folder)
        if any_process(time.monotonic() - self._saved_at >= self.interval_s):
            trainer.save_checkpoint(self.checkpoint)
            self._saved_at = time.monotonic()

    def raise_if_interrupted(self) -> None:
        """Raise `InterruptedRun` after a finished stage if a signal arrived after its last step."""
        if self._signal is not None:
            raise InterruptedRun(self._signal, self.folder)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Restore the signal handlers."""
        self._restore_handlers()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Restore the signal handlers."""
        self._restore_handlers()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Note the first signal, which the end of the step handles; raise at a second one."""
        if self._signal is not None:
            raise InterruptedRun(number, self.folder)
        self._signal = number

    def _restore_handlers(self) -> None:
        """Put the handlers from before training back."""
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)
        self._previous_handlers = {}
