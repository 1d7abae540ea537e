"""Read checkpoints: once, checked against their checksums, and without running code from them."""

from __future__ import annotations

import math
import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from deepcluster_pl import __version__
from deepcluster_pl.errors import UserError, unreadable

METADATA = "deepcluster_pl"
"""Key of a checkpoint under which its metadata is stored."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was read and checked once.

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
            UserError: the file is not a readable checkpoint; the text names the newest readable one beside it.
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
        """Return the stage that wrote it: pretrain or fit."""
        return str(self.content[METADATA]["stage"])

    @property
    def finished(self) -> bool:
        """Return whether its stage was finished."""
        return bool(self.content[METADATA].get("finished"))

    @property
    def seconds(self) -> float:
        """Return the seconds that its stage had trained, interrupted parts included."""
        return float(self.content[METADATA]["seconds"])

    @property
    def steps(self) -> int:
        """Return the number of optimizer steps that its stage had taken."""
        return int(self.content["global_step"])

    def callback_state(self, callback: type) -> dict[str, Any]:
        """Return the state that a class of callbacks stored; empty where it stored none."""
        return dict(self.content["callbacks"].get(callback.__qualname__, {}))

    def check_fingerprint(self, expected: dict[str, str]) -> None:
        """Raise `UserError` unless the checkpoint belongs to the same data, net, method and seed.

        The checkpoint of a fit must belong to the same initialization too.

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
            raise UserError(f"{self.path} belongs to other settings ({text}); use those, or start without it")

    def check_pretrained(self, data_hash: str, holds_out: bool) -> str:
        """Raise `UserError` unless this is a finished pretraining that has not seen held-out samples.

        Args:
            data_hash: hash of this run's data.
            holds_out: whether this run holds out samples.

        Returns:
            A remark if the net was trained on other data, else an empty string.

        Raises:
            UserError: it is not a finished pretraining, or it may have seen the samples held out here.
        """
        if self.stage != "pretrain" or not self.finished:
            kind = "a fit" if self.stage != "pretrain" else "a pretraining that was interrupted"
            raise UserError(
                f"{self.path} is of {kind}, expected checkpoints/pretrained.ckpt; ckpt_path= resumes from it"
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
            module: the module, whose state dict has the expected names and shapes.
            prefix: prefix of the names in the checkpoint.

        Returns:
            Tensors by name, without the prefix.

        Raises:
            UserError: names or shapes differ; the text names the first three.
        """
        state = self.content["state_dict"]
        weights = {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
        expected = module.state_dict()
        mismatches = [
            f"{name} is {_shape(weights.get(name))} in the file and {_shape(expected.get(name))} in this run"
            for name in [*expected, *(name for name in weights if name not in expected)]
            if _shape(weights.get(name)) != _shape(expected.get(name))
        ]
        if mismatches:
            more = " …" if len(mismatches) > 3 else ""
            raise UserError(f"{self.path} does not fit: {'; '.join(mismatches[:3])}{more}")
        return weights

    def load_into(self, module: nn.Module, prefix: str = "") -> None:
        """Copy the weights into a module.

        Args:
            module: the module, changed in place.
            prefix: prefix of the names in the checkpoint.

        Raises:
            UserError: names or shapes differ.
        """
        module.load_state_dict(self.weights_for(module, prefix))


def newest_intact(folder: Path) -> Checkpoint | None:
    """Return the newest readable checkpoint of a folder, or None."""
    by_date = sorted((path.stat().st_mtime_ns, path) for path in folder.glob("*.ckpt") if path.is_file())
    opened = (Checkpoint.open_if_intact(path) for _, path in reversed(by_date))
    return next((checkpoint for checkpoint in opened if checkpoint is not None), None)


def _read(path: Path) -> dict[str, Any]:
    """Return a checkpoint's content; raise `UserError` for a file that is missing, damaged, foreign or runs code."""
    if not path.is_file():
        raise UserError(f"{path}: {'a folder' if path.is_dir() else 'no such file'}, expected a checkpoint")
    try:
        # PyTorch writes checksums but never compares them
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > path.stat().st_size:
                raise UserError(f"{path} is compressed, which no checkpoint is; it was not read")
            damaged = archive.testzip()
        if damaged is not None:
            raise UserError(f"{path} is damaged: the checksum of {damaged} differs")
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except UserError:
        raise
    except pickle.UnpicklingError as error:
        raise UserError(f"{path} is not a checkpoint that can be read without running code from it") from error
    except Exception as error:  # a damaged file can make the reader fail in any way
        raise unreadable(path, error, "is damaged or not a checkpoint") from error
    metadata = content.get(METADATA) if isinstance(content, dict) else None
    if not isinstance(metadata, dict) or not {"stage", "origin"} <= metadata.keys() or "state_dict" not in content:
        raise UserError(f"{path} was not written by deepcluster_pl")
    if wrong := _wrong_type(content, metadata):
        raise UserError(f"{path} is damaged: {wrong} is of another type than deepcluster_pl writes")
    return dict(content)


def _wrong_type(content: dict[str, Any], metadata: dict[str, Any]) -> str:
    """Return the name of the first entry that is of another type than is written; an empty string for none."""
    weights, seconds = content["state_dict"], metadata.get("seconds", 0.0)
    is_right = {
        "stage": isinstance(metadata["stage"], str),
        "origin": isinstance(metadata["origin"], dict),
        "seconds": isinstance(seconds, float | int) and math.isfinite(seconds),
        "state_dict": isinstance(weights, dict)
        and all(isinstance(tensor, torch.Tensor) for tensor in weights.values()),
        "global_step": isinstance(content.get("global_step", 0), int),
        "callbacks": isinstance(content.get("callbacks", {}), dict),
        "loops": isinstance(content.get("loops", {}), dict),
    }
    return next((name for name, right in is_right.items() if not right), "")


def _shape(tensor: torch.Tensor | None) -> str:
    """Return a shape as text, or `missing`."""
    return "missing" if tensor is None else str(tuple(tensor.shape))
