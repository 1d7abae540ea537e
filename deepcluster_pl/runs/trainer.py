"""The two training stages: how a Trainer is made, where a stopped run goes on, what is kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.strategies import DDPStrategy
from rich.console import Console

from deepcluster_pl.data.datamodule import ClusteringData
from deepcluster_pl.errors import UserError
from deepcluster_pl.training.callbacks.divergence import DivergenceStop
from deepcluster_pl.training.callbacks.empty_clusters import EmptyClusterWarning
from deepcluster_pl.training.callbacks.gradient_averaging import GradientAveraging
from deepcluster_pl.training.callbacks.interruption import Interruption
from deepcluster_pl.training.callbacks.progress import ProgressLine
from deepcluster_pl.training.checkpoints import (
    STAMP,
    AtomicCheckpointIO,
    CheckpointMetadata,
    check_fits,
)
from deepcluster_pl.utils.provenance import machine

_UNSUPPORTED = ("16-true", "bf16-true", "transformer-engine", "transformer-engine-float16", "64-true")


@dataclass(frozen=True)
class Workshop:
    """Makes the Trainer of each stage from one `trainer` config, and runs it.

    Attributes:
        make_trainer: `pytorch_lightning.Trainer` with the machine's knobs set.
        make_loggers: by name, called with save_dir and name.
        folder: the run's.
        console: where progress goes.
        checkpoint_interval: seconds between two writes of last.ckpt.
        origin: hashes of what this run's weights belong to; checkpoints carry them.
        seconds: how long each stage took, interrupted parts included; None for a stage that was not needed.
    """

    make_trainer: Callable[..., pl.Trainer]
    make_loggers: Mapping[str, Callable[..., Any]]
    folder: Path
    console: Console
    checkpoint_interval: float
    origin: dict[str, str]
    seconds: dict[str, float | None] = field(default_factory=lambda: dict.fromkeys(("pretrain", "start", "fit")))

    @cached_property
    def device(self) -> torch.device:
        """Where the Trainer will put modules; `UserError` if that is not there."""
        return self._probe.strategy.root_device

    @cached_property
    def world_size(self) -> int:
        """Number of processes that share the work: one a device."""
        return int(self._probe.world_size)

    def describe(self) -> str:
        """The machine in a few words; `UserError` if the one asked for is not there."""
        many = f"{self.world_size} processes, " if self.world_size > 1 else ""
        return f"on {self.device.type}, {many}precision {self._probe.precision}"

    def machine(self) -> dict[str, Any]:
        """What the numbers are computed on."""
        return machine(self.device, self._probe.precision, self.world_size)

    def checkpoint(self, name: str) -> Path:
        """Where a checkpoint of this run lies."""
        return self.folder / "checkpoints" / f"{name}.ckpt"

    def add_seconds(self, stage: str, checkpoint: dict[str, Any]) -> None:
        """Note the time that a checkpoint says its stage took."""
        self.seconds[stage] = float(checkpoint[STAMP]["seconds"])

    def train(
        self,
        stage: str,
        module: pl.LightningModule,
        data: ClusteringData,
        callbacks: Sequence[pl.Callback],
        resume_from: Path | None,
        keep: Path,
        **limits: int,
    ) -> None:
        """Train, from a checkpoint if one is given, and keep the end as checkpoint `keep`."""
        if resume_from is not None:
            check_fits(module, resume_from)
        stamp = CheckpointMetadata(stage, self.origin)
        interruption = Interruption(self.folder, self.checkpoint("last"), self.checkpoint_interval)
        if "holdout" not in data.parts:
            limits["limit_val_batches"] = 0
        watching: list[pl.Callback] = [DivergenceStop(stage), EmptyClusterWarning(self.console)]
        if self.world_size > 1:
            watching.append(GradientAveraging())
        trainer = self._trainer(stage, [*watching, *callbacks, stamp, interruption], **limits)
        with _no_search_for_gpus(self.device):
            trainer.fit(module, datamodule=data, ckpt_path=resume_from, weights_only=True)
        stamp.finished = True
        trainer.save_checkpoint(keep)
        self.seconds[stage] = stamp.seconds
        interruption.raise_if_interrupted()

    @cached_property
    def _probe(self) -> pl.Trainer:
        """A Trainer that never trains: it knows the device, or why there is none."""
        trainer = self._trainer("fit", [])
        strategy = trainer.strategy
        if trainer.world_size > 1 and (type(strategy) is not DDPStrategy or strategy._start_method != "popen"):
            raise UserError(f"found {trainer.world_size} devices; type trainer.strategy=ddp, or trainer.devices=1")
        if trainer.precision in _UNSUPPORTED:
            raise UserError(f"trainer.precision={trainer.precision} is not supported; use bf16-mixed or 32-true")
        return trainer

    def _trainer(self, stage: str, callbacks: Sequence[pl.Callback], **limits: int) -> pl.Trainer:
        makers = [make for make in self.make_loggers.values() if make is not None]
        loggers = [make(save_dir=str(self.folder), name=stage, version="") for make in makers]
        try:
            trainer = self.make_trainer(
                default_root_dir=str(self.folder),
                logger=loggers,
                callbacks=list(callbacks),
                plugins=[AtomicCheckpointIO()],
                use_distributed_sampler=False,
                num_sanity_val_steps=0,
                enable_model_summary=False,
                enable_checkpointing=False,
                **limits,
            )
        except (MisconfigurationException, ValueError, RuntimeError, ImportError) as error:
            raise UserError(_machine_text(error)) from error
        if trainer.progress_bar_callback is not None:
            trainer.callbacks.remove(trainer.progress_bar_callback)  # type: ignore[attr-defined]
            trainer.callbacks.insert(0, ProgressLine(stage, self.console))  # type: ignore[attr-defined]
        return trainer


@contextmanager
def _no_search_for_gpus(device: torch.device) -> Iterator[None]:
    """Spare a run on the CPU what PyTorch does at every step of an optimizer: ask the system for a GPU's driver.

    Where there is a GPU nothing is hidden: CUDA believes for the rest of the process what it sees at its first look.
    """
    name, before = "CUDA_VISIBLE_DEVICES", os.environ.get("CUDA_VISIBLE_DEVICES")
    if device.type == "cpu" and torch.cuda.device_count() == 0:
        os.environ[name] = ""
    try:
        yield
    finally:
        os.environ.pop(name, None) if before is None else os.environ.update({name: before})


def _machine_text(error: Exception) -> str:
    text = str(error).splitlines()[0]
    if any(word in text.lower() for word in ("accelerator", "gpu", "cuda", "device")):
        return f"{text} Type trainer.accelerator=cpu, or trainer.accelerator=auto for the best there is."
    return f"trainer: {text}"
