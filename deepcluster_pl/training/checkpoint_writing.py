"""Write checkpoints: finite weights only, with metadata, and each file put in place in one step."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from deepcluster_pl import __version__
from deepcluster_pl.errors import divergence_error
from deepcluster_pl.training.checkpoints import METADATA, Checkpoint
from deepcluster_pl.utils.atomic_files import atomic_write

_LAST, _PREVIOUS = "last.ckpt", "previous.ckpt"
"""The newest checkpoint of a stage, and the one before, from which a run resumes if the newest is damaged."""


class AtomicCheckpointIO(TorchCheckpointIO):
    """Reader and writer of Lightning's checkpoint files: only finite weights are written, and only data is read.

    Args:
        opened: a checkpoint that was read already, so that Lightning does not read it again.
    """

    def __init__(self, opened: Checkpoint | None = None) -> None:
        super().__init__()
        self.opened = opened

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any = None
    ) -> None:
        """Write a file beside `path`, and put it in place of `path`. Weights that are not finite are not written.

        The file that last.ckpt replaces stays as previous.ckpt. PyTorch writes a CRC-32 beside every record.

        Args:
            checkpoint: the content.
            path: the file.
            storage_options: not used; part of Lightning's interface.

        Raises:
            UserError: weights are not finite, or the disk is full or fails.
        """
        _check_finite(checkpoint)
        path = Path(path)
        with atomic_write(path, "wb", keep=path.with_name(_PREVIOUS) if path.name == _LAST else None) as file:
            torch.save(checkpoint, file)

    def load_checkpoint(
        self, path: str | os.PathLike[str], map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read tensors, numbers and strings; a file that would run code is refused.

        Args:
            path: the file.
            map_location: not used; everything is read to the CPU.
            weights_only: not used; nothing else is ever read.

        Returns:
            The content, as a shallow copy that Lightning may change.

        Raises:
            UserError: the file cannot be read.
        """
        if self.opened is None or self.opened.path != Path(path):
            return Checkpoint.open(Path(path)).content
        return dict(self.opened.content)


class CheckpointMetadata(pl.Callback):
    """Metadata in every checkpoint: its stage and origin, whether the stage is finished, and the seconds trained.

    Args:
        stage: pretrain or fit.
        origin: hashes of what the weights belong to, such as data, net and method.

    Attributes:
        finished: whether the stage is finished; the stage's Trainer sets it.
        earlier_s: seconds trained before an interruption.
    """

    def __init__(self, stage: str, origin: dict[str, str]) -> None:
        self.stage = stage
        self.origin = origin
        self.finished = False
        self.earlier_s = 0.0
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Return the seconds trained, interrupted parts included."""
        return self.earlier_s + time.monotonic() - self._began

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self._began = time.monotonic()

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add the metadata."""
        checkpoint[METADATA] = {
            "stage": self.stage,
            "version": __version__,
            "origin": self.origin,
            "finished": self.finished,
            "seconds": self.seconds,
        }

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Read the seconds that were trained before."""
        self.earlier_s = float(checkpoint.get(METADATA, {}).get("seconds", 0.0))


def _check_finite(checkpoint: dict[str, Any]) -> None:
    """Raise `UserError` if weights are NaN or infinite; the device is waited for once."""
    weights = [tensor for tensor in checkpoint["state_dict"].values() if tensor.is_floating_point()]
    if not weights or bool(torch.stack([tensor.isfinite().all() for tensor in weights]).all()):
        return
    step, stage = int(checkpoint["global_step"]), str(checkpoint[METADATA]["stage"])
    raise divergence_error(stage, step, "weights are NaN or infinite")
