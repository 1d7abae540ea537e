"""What a run that ends early leaves: a checkpoint now and then, and one behind the step at which a signal came."""

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


class Interruption(pl.Callback):
    """Keeps a checkpoint, and turns SIGINT, SIGTERM and SIGHUP during training into an `InterruptedRun` behind one.

    A second signal stops at once. Behind a step, when all other callbacks have run, all state belongs together.

    Args:
        folder: the run's.
        checkpoint: where to keep the state; the last one is replaced.
        interval_s: seconds between two checkpoints.
    """

    def __init__(self, folder: Path, checkpoint: Path, interval_s: float) -> None:
        self.folder = folder
        self.checkpoint = checkpoint
        self.interval_s = interval_s
        self._kept = time.monotonic()
        self._number: int | None = None
        self._earlier: dict[int, Any] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Listen, where the system lets us (the main thread only)."""
        self._kept = time.monotonic()
        if threading.current_thread() is threading.main_thread():
            for name in ("SIGINT", "SIGTERM", "SIGHUP"):
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has SIGHUP
                    self._earlier[number] = signal.signal(number, self._notice)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Keep the state if it is time; keep it and stop on a signal, all processes behind the same step."""
        if trainer.world_size > 1 and trainer.global_step % (trainer.log_every_n_steps or 50):  # type: ignore[attr-defined]
            return
        if any_process(self._number is not None):
            trainer.save_checkpoint(self.checkpoint)
            raise InterruptedRun(self._number or signal.SIGTERM, self.folder)
        if any_process(time.monotonic() - self._kept >= self.interval_s):
            trainer.save_checkpoint(self.checkpoint)
            self._kept = time.monotonic()

    def raise_if_interrupted(self) -> None:
        """Stop behind a finished stage, where the signal came after its last step."""
        if self._number is not None:
            raise InterruptedRun(self._number, self.folder)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop listening."""
        self._restore()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Stop listening."""
        self._restore()

    def _notice(self, number: int, frame: FrameType | None) -> None:
        if self._number is not None:
            raise InterruptedRun(number, self.folder)
        self._number = number

    def _restore(self) -> None:
        for number, handler in self._earlier.items():
            signal.signal(number, handler)
        self._earlier = {}
