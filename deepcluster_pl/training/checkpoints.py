"""Checkpoints: written in one step, marked with what they belong to, read once and without running code."""

from __future__ import annotations

import os
import pickle
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO
from torch import nn

from deepcluster_pl import __version__
from deepcluster_pl.errors import UserError, divergence_error, first_line
from deepcluster_pl.utils.atomic_files import atomic_write

METADATA = "deepcluster_pl"
LAST, PREVIOUS = "last.ckpt", "previous.ckpt"
"""The newest checkpoint of a stage, and the one before, from which a run resumes where the newest is damaged."""


class AtomicCheckpointIO(TorchCheckpointIO):
    """Lightning's checkpoint files: finite weights only, put in place in one step, loaded as data only.

    Args:
        opened: a checkpoint that was read already, so that Lightning need not read it again.
    """

    def __init__(self, opened: Checkpoint | None = None) -> None:
        super().__init__()
        self.opened = opened

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any = None
    ) -> None:
        """Write a file beside `path`, then replace `path`; weights that are not finite leave it as it is.

        The file that last.ckpt replaces stays as previous.ckpt. PyTorch writes a CRC-32 beside every record.

        Args:
            checkpoint: content.
            path: the file.
            storage_options: not used; part of Lightning's interface.

        Raises:
            UserError: weights are not finite, or the disk refuses.
        """
        check_finite(checkpoint)
        path = Path(path)
        with atomic_write(path, "wb", keep=path.with_name(PREVIOUS) if path.name == LAST else None) as file:
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
        """
        if self.opened is None or self.opened.path != Path(path):
            return Checkpoint.open(Path(path)).content
        return dict(self.opened.content)


class CheckpointMetadata(pl.Callback):
    """Callback that marks every checkpoint: its stage, what it belongs to, whether it is finished, seconds trained.

    Args:
        stage: pretrain or fit.
        origin: hashes of what the weights belong to, such as data, net and method.
    """

    def __init__(self, stage: str, origin: dict[str, str]) -> None:
        self.stage = stage
        self.origin = origin
        self.finished = False
        self.earlier_s = 0.0
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds trained, interrupted parts included."""
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
        """Add the seconds that were trained before."""
        self.earlier_s = float(checkpoint.get(METADATA, {}).get("seconds", 0.0))


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was read, once, and checked.

    Attributes:
        path: its file.
        content: everything in it, on the CPU.
    """

    path: Path
    content: dict[str, Any]

    @staticmethod
    def open(path: Path) -> Checkpoint:
        """Read a checkpoint.

        Args:
            path: the file.

        Returns:
            The checkpoint.

        Raises:
            UserError: there is no readable checkpoint; the text names the newest readable one beside it.
        """
        try:
            return Checkpoint(path, _read(path))
        except UserError as error:
            intact = newest_intact(path.parent)
            raise UserError(f"{error}; {intact.path.name} beside it is intact" if intact else str(error)) from error

    @staticmethod
    def open_if_intact(path: Path) -> Checkpoint | None:
        """Read a checkpoint; return None where there is no readable one."""
        try:
            return Checkpoint(path, _read(path))
        except UserError:
            return None

    @property
    def stage(self) -> str:
        """Stage that wrote it: pretrain or fit."""
        return str(self.content[METADATA]["stage"])

    @property
    def finished(self) -> bool:
        """Whether its stage was finished."""
        return bool(self.content[METADATA].get("finished"))

    @property
    def seconds(self) -> float:
        """Seconds that its stage had trained, interrupted parts included."""
        return float(self.content[METADATA]["seconds"])

    @property
    def steps(self) -> int:
        """Optimizer steps that its stage had taken."""
        return int(self.content["global_step"])

    def callback_state(self, callback: type) -> dict[str, Any]:
        """Return the state that a class of callbacks stored; empty where it stored none."""
        return dict(self.content["callbacks"].get(callback.__qualname__, {}))

    def check_fingerprint(self, expected: dict[str, str]) -> None:
        """Raise `UserError` unless the checkpoint belongs to the same data, net, method and seed.

        A fit's checkpoint must belong to the same initialization as well; a pretraining comes before any.

        Args:
            expected: hashes of this run's settings by name.
        """
        metadata = self.content[METADATA]
        names = [name for name in expected if name != "start" or self.stage != "pretrain"]
        differing = [name for name in names if metadata["origin"].get(name) != expected[name]]
        written_by = metadata.get("version", "0.1.0")
        if differing and written_by != __version__:
            raise UserError(f"{self.path} was written by version {written_by}, this is {__version__}; start without it")
        if differing:
            text = ", ".join(differing)
            raise UserError(
                f"{self.path} belongs to other settings ({text}); use those, or start without it"
            )

    def check_pretrained(self, data_hash: str, holds_out: bool) -> str:
        """Raise `UserError` unless this is a finished pretraining that has not seen held-out samples.

        Args:
            data_hash: hash of this run's data.
            holds_out: whether this run holds out samples.

        Returns:
            A remark where the net was trained on other data, else an empty string.
        """
        if self.stage != "pretrain" or not self.finished:
            found = "a fit" if self.stage != "pretrain" else "a pretraining that was interrupted"
            raise UserError(
                f"{self.path} is of {found}, expected checkpoints/pretrained.ckpt; ckpt_path= resumes from it"
            )
        if self.content[METADATA]["origin"].get("data") == data_hash:
            return ""
        if holds_out:
            raise UserError(
                f"{self.path} was pretrained on other samples, which may include those held out here; type "
                f"data.holdout=0, or leave out pretrained="
            )
        return "trained on other data than this run's; its scaling of the input is used"

    def weights_for(self, module: nn.Module, prefix: str = "") -> dict[str, torch.Tensor]:
        """Return the weights of a module.

        Args:
            module: its state dict says which names and shapes are expected.
            prefix: of the names in the checkpoint.

        Returns:
            Tensors by name, without the prefix.

        Raises:
            UserError: names or shapes differ; the text names the first three.
        """
        state = self.content["state_dict"]
        found = {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
        expected = module.state_dict()
        wrong = [
            f"{name} is {_shape(found.get(name))} in the file and {_shape(expected.get(name))} in this run"
            for name in [*expected, *(name for name in found if name not in expected)]
            if _shape(found.get(name)) != _shape(expected.get(name))
        ]
        if wrong:
            raise UserError(f"{self.path} does not fit: {'; '.join(wrong[:3])}{' …' if len(wrong) > 3 else ''}")
        return found

    def load_into(self, module: nn.Module, prefix: str = "") -> None:
        """Copy the weights into a module; see `weights_for`."""
        module.load_state_dict(self.weights_for(module, prefix))


def newest_intact(folder: Path) -> Checkpoint | None:
    """Return the newest readable checkpoint of a folder, or None."""
    dated = sorted((path.stat().st_mtime_ns, path) for path in folder.glob("*.ckpt") if path.is_file())
    opened = (Checkpoint.open_if_intact(path) for _, path in reversed(dated))
    return next((checkpoint for checkpoint in opened if checkpoint is not None), None)


def check_finite(checkpoint: dict[str, Any]) -> None:
    """Raise `UserError` where weights are NaN or infinite; the device is waited for once."""
    weights = [tensor for tensor in checkpoint["state_dict"].values() if tensor.is_floating_point()]
    if not weights or bool(torch.stack([tensor.isfinite().all() for tensor in weights]).all()):
        return
    step, stage = int(checkpoint["global_step"]), str(checkpoint[METADATA]["stage"])
    raise divergence_error(stage, step, "weights are NaN or infinite")


def _read(path: Path) -> dict[str, Any]:
    """Return a checkpoint's content; raise `UserError` for a file that is missing, damaged, foreign or runs code."""
    if not path.is_file():
        raise UserError(f"{path}: {'a folder' if path.is_dir() else 'no such file'}, expected a checkpoint")
    try:
        with zipfile.ZipFile(path) as archive:  # PyTorch writes checksums, but never compares them
            damaged = archive.testzip()
        if damaged is not None:
            raise UserError(f"{path} is damaged: the checksum of {damaged} differs")
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except UserError:
        raise
    except pickle.UnpicklingError as error:
        raise UserError(f"{path} is not a checkpoint that can be read without running code from it") from error
    except Exception as error:  # a damaged file can make the reader fail in any way
        raise UserError(f"{path} is damaged or not a checkpoint: {first_line(error)}") from error
    metadata = content.get(METADATA) if isinstance(content, dict) else None
    if not isinstance(metadata, dict) or not {"stage", "origin"} <= metadata.keys() or "state_dict" not in content:
        raise UserError(f"{path} was not written by deepcluster_pl")
    return dict(content)


def _shape(tensor: torch.Tensor | None) -> str:
    return "missing" if tensor is None else str(tuple(tensor.shape))
