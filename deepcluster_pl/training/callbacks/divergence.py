"""Stop a training whose loss is NaN or infinite, within one interval of the log."""

from __future__ import annotations

import math
from typing import Any

import pytorch_lightning as pl

from deepcluster_pl.errors import divergence_error
from deepcluster_pl.utils.distributed import any_process


class DivergenceStop(pl.Callback):
    """End of a training whose loss is no longer finite.

    The loss is read as often as the logger reads it, because every reading waits for the device. Between two readings
    a checkpoint may be written, but `AtomicCheckpointIO` checks its weights.

    Args:
        stage: pretrain or fit, for the message.
    """

    def __init__(self, stage: str) -> None:
        self.stage = stage

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Raise `UserError` at a loss that is not finite, in all processes of the run."""
        interval = trainer.log_every_n_steps or 50  # type: ignore[attr-defined]  # 0 logs nothing
        if trainer.global_step % interval:
            return
        loss = float(outputs["loss"])
        if any_process(not math.isfinite(loss)):
            state = "of another process is not finite" if math.isfinite(loss) else f"is {loss}"
            raise divergence_error(self.stage, trainer.global_step, f"the loss {state}")
