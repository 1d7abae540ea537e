"""Stop a training whose loss is NaN or infinite, within one interval of the log."""

from __future__ import annotations

import math
from typing import Any

import pytorch_lightning as pl

from deepcluster_pl.errors import divergence_error
from deepcluster_pl.utils.distributed import any_process


class DivergenceStop(pl.Callback):
    """Reads the loss as often as the logger does, since every look waits for the device.

    Between two looks only weights reach a file, and `deepcluster_pl.training.checkpoints` looks at those itself.

    Args:
        stage: pretrain or fit, for the message.
    """

    def __init__(self, stage: str) -> None:
        self.stage = stage

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Raise `UserError` at a loss that is not finite."""
        interval = trainer.log_every_n_steps or 50  # type: ignore[attr-defined]  # 0 logs nothing
        if trainer.global_step % interval:
            return
        loss = float(outputs["loss"])
        if any_process(not math.isfinite(loss)):
            found = "of another process is not finite" if math.isfinite(loss) else f"is {loss}"
            raise divergence_error(self.stage, trainer.global_step, f"the loss {found}")
