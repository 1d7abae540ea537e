"""Checkpoints that are whole or absent, say what they are, and are read without running code."""

from __future__ import annotations

import os
import pickle
import time
import zipfile
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO
from torch import nn

from deepcluster_pl import __version__
from deepcluster_pl.errors import UserError, divergence_error
from deepcluster_pl.utils.atomic_files import atomic_write

STAMP = "deepcluster_pl"
LAST, PREVIOUS = "last.ckpt", "previous.ckpt"
"""What is kept every interval, and the one kept before, which is gone on from where the last was damaged."""


class AtomicCheckpointIO(TorchCheckpointIO):
    """Lightning's checkpoint files: of finite weights only, put in place in one step, and loaded as data only."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any = None
    ) -> None:
        """Write beside `path`, then replace it; weights that are not finite leave the file as it is.

        Of last.ckpt, the one before stays as previous.ckpt. PyTorch puts a CRC-32 beside every record.
        """
        check_finite(checkpoint)
        path = Path(path)
        with atomic_write(path, "wb", keep=path.with_name(PREVIOUS) if path.name == LAST else None) as file:
            torch.save(checkpoint, file)

    def load_checkpoint(
        self, path: str | os.PathLike[str], map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read tensors, numbers and strings; anything that would run code is refused."""
        return read_checkpoint(Path(path))


class CheckpointMetadata(pl.Callback):
    """Writes into every checkpoint what it belongs to, whether its stage was finished, and the seconds trained so far.

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
        """Time trained, runs that were interrupted included."""
        return self.earlier_s + time.monotonic() - self._began

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self._began = time.monotonic()

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add the stamp."""
        checkpoint[STAMP] = {
            "stage": self.stage,
            "version": __version__,
            "origin": self.origin,
            "finished": self.finished,
            "seconds": self.seconds,
        }

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Count on from there."""
        self.earlier_s = float(checkpoint.get(STAMP, {}).get("seconds", 0.0))


def check_finite(checkpoint: dict[str, Any]) -> None:
    """Raise `UserError` where weights are NaN or infinite; the device is waited for once."""
    weights = [tensor for tensor in checkpoint["state_dict"].values() if tensor.is_floating_point()]
    if not weights or bool(torch.stack([tensor.isfinite().all() for tensor in weights]).all()):
        return
    step, stage = int(checkpoint["global_step"]), str(checkpoint[STAMP]["stage"])
    raise divergence_error(stage, step, "weights are NaN or infinite")


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint's content on the CPU; `UserError` says what is wrong with the file, and which beside it is sound."""
    try:
        return _read(path)
    except UserError as error:
        sound = newest_intact(path.parent)
        raise UserError(f"{error}; sound beside it is {sound.name}" if sound else str(error)) from error


def newest_intact(folder: Path) -> Path | None:
    """The newest checkpoint of a folder that can be read, if there is one."""
    dated = sorted((path.stat().st_mtime_ns, path) for path in folder.glob("*.ckpt") if path.is_file())
    return next((path for _, path in reversed(dated) if is_intact(path)), None)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise UserError(f"{path}: {'a folder' if path.is_dir() else 'no such file'}, expected a checkpoint")
    try:
        with zipfile.ZipFile(path) as archive:  # PyTorch itself never looks at the sums it wrote
            damaged = archive.testzip()
        if damaged is not None:
            raise UserError(f"{path} is damaged: the checksum of {damaged} does not fit")
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except UserError:
        raise
    except pickle.UnpicklingError as error:
        raise UserError(f"{path} is not a checkpoint that can be read without running code from it") from error
    except Exception as error:  # a damaged file can make the reader fail in any way
        text = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(f"{path} is damaged or not a checkpoint: {text}") from error
    stamp = content.get(STAMP) if isinstance(content, dict) else None
    if not isinstance(stamp, dict) or not {"stage", "origin"} <= stamp.keys() or "state_dict" not in content:
        raise UserError(f"{path} was not written by deepcluster_pl")
    return dict(content)


def is_intact(path: Path) -> bool:
    """Whether a checkpoint is there and can be read; a damaged one in a cache is simply made again."""
    try:
        _read(path)
    except UserError:
        return False
    return True


def stage_of(path: Path) -> str:
    """The stage, pretrain or fit, that a checkpoint was written in."""
    return str(read_checkpoint(path)[STAMP]["stage"])


def check_fingerprint(path: Path, origin: dict[str, str]) -> None:
    """Raise `UserError` naming what differs, unless a checkpoint belongs to the same data, net, method and seed.

    A fit's must belong to the same start as well; a pretraining's came before any.
    """
    stamp = read_checkpoint(path)[STAMP]
    counts = [name for name in origin if name != "start" or stamp["stage"] != "pretrain"]
    differing = [name for name in counts if stamp["origin"].get(name) != origin[name]]
    written_by = stamp.get("version", "0.1.0")
    if differing and written_by != __version__:
        raise UserError(f"{path} was written by version {written_by}, this is {__version__}; begin anew without it")
    if differing:
        names = ", ".join(differing)
        raise UserError(f"{path} belongs to a run with other settings ({names}); use those, or begin anew without it")


def check_pretrained(path: Path, data_hash: str, holds_out: bool) -> str:
    """Refuse what is no finished pretraining, or may know the held-out samples; a remark if the data was another."""
    stamp = read_checkpoint(path)[STAMP]
    if stamp["stage"] != "pretrain" or not stamp["finished"]:
        what = "a fit" if stamp["stage"] != "pretrain" else "a pretraining that was interrupted"
        raise UserError(f"{path} is of {what}, expected checkpoints/pretrained.ckpt; ckpt_path= goes on from it")
    if stamp["origin"].get("data") == data_hash:
        return ""
    if holds_out:
        raise UserError(
            f"{path} was pretrained on other samples, and may know those held out here; type data.holdout=0, or leave "
            f"out pretrained="
        )
    return "trained on other data than this run's; its scaling of the input is kept"


def load_weights(module: nn.Module, path: Path, prefix: str = "") -> None:
    """Copy a checkpoint's weights under `prefix` into a module; `UserError` names what does not fit."""
    module.load_state_dict(check_fits(module, path, prefix))


def check_fits(module: nn.Module, path: Path, prefix: str = "") -> dict[str, torch.Tensor]:
    """A checkpoint's weights under `prefix`, if they are this module's by name and shape; else `UserError`."""
    state = read_checkpoint(path)["state_dict"]
    found = {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
    expected = module.state_dict()
    wrong = [
        f"{name} is {_shape(found.get(name))} in the file and {_shape(expected.get(name))} in this run"
        for name in [*expected, *(name for name in found if name not in expected)]
        if _shape(found.get(name)) != _shape(expected.get(name))
    ]
    if wrong:
        raise UserError(f"{path} does not fit: {'; '.join(wrong[:3])}{' …' if len(wrong) > 3 else ''}")
    return found


def _shape(tensor: torch.Tensor | None) -> str:
    return "missing" if tensor is None else str(tuple(tensor.shape))
