"""Ends the process behind its first training step, so that the time until then can be taken from outside."""

from __future__ import annotations

import os
from typing import Any

import pytorch_lightning as pl


class FirstStep(pl.Callback):
    """Leaves at once."""

    def on_train_batch_end(self, *_: Any) -> None:
        """The first step is done."""
        os._exit(0)
