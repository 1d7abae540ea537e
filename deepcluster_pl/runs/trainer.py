"""Train one stage of a run, with its own Trainer, callbacks and checkpoints."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import Timer
from pytorch_lightning.strategies import DDPStrategy
from rich.console import Console

from deepcluster_pl.data.datamodule import StageData
from deepcluster_pl.errors import UserError, first_line, visible
from deepcluster_pl.reporting import CenterImages
from deepcluster_pl.training import AtomicCheckpointIO, Checkpoint, CheckpointMetadata
from deepcluster_pl.training.blocks import time_is_over
from deepcluster_pl.training.callbacks import (
    DivergenceStop,
    EmptyClusterWarning,
    GradientAveraging,
    InterruptionHandler,
    ProgressLine,
)
from deepcluster_pl.training.stepping import Stepping
from deepcluster_pl.utils.run_folder import RunFolder

_UNSUPPORTED = ("16-true", "bf16-true", "transformer-engine", "transformer-engine-float16", "64-true")


@dataclass(frozen=True)
class StageEnd:
    """Result of a training stage.

    Attributes:
        seconds: time trained, interrupted parts included.
        steps: number of optimizer steps taken.
    """

    seconds: float
    steps: int


@dataclass(frozen=True)
class StageTrainer:
    """Trainer of every stage of a run, by one `trainer` config.

    Attributes:
        make_trainer: `pytorch_lightning.Trainer` with the machine's settings.
        make_loggers: loggers by name, called with save_dir and name; None for one that is switched off.
        folder: the run folder.
        console: prints progress.
        checkpoint_interval: seconds between two writes of last.ckpt.
        stepping: who takes the optimizer steps.
    """

    make_trainer: Callable[..., pl.Trainer]
    make_loggers: Mapping[str, Callable[..., Any] | None]
    folder: RunFolder
    console: Console
    checkpoint_interval: float
    stepping: Stepping

    @cached_property
    def device(self) -> torch.device:
        """Return the device that modules are moved to; raise `UserError` if there is none of that kind."""
        return self._probe.strategy.root_device

    @cached_property
    def world_size(self) -> int:
        """Return the number of processes that share the work, one for each device."""
        return int(self._probe.world_size)

    @property
    def precision(self) -> str:
        """Return the precision of training steps."""
        return str(self._probe.precision)

    def report(self, line: str) -> None:
        """Print a line as it is."""
        self.console.print(visible(line), highlight=False, soft_wrap=True, markup=False)

    def describe(self) -> str:
        """Return the machine in a few words."""
        processes = f"{self.world_size} processes, " if self.world_size > 1 else ""
        tf32 = ", products in TF32" if self.stepping.matmul == "tf32" and self.device.type == "cuda" else ""
        return f"on {self.device.type}, {processes}precision {self.precision}{tf32}"

    def train(
        self,
        stage: str,
        module: pl.LightningModule,
        data: StageData,
        callbacks: Sequence[pl.Callback],
        fingerprint: dict[str, str],
        resume_from: Checkpoint | None,
        save_to: Path,
        **limits: int,
    ) -> StageEnd:
        """Train a module, and write its final checkpoint.

        Args:
            stage: `pretrain` or `fit`.
            module: the module, trained in place.
            data: batches of this stage.
            callbacks: callbacks of the recipe; the stage adds its own.
            fingerprint: hashes of the settings that the weights belong to, written into checkpoints.
            resume_from: checkpoint of an interrupted run of this stage, or None.
            save_to: file of the final checkpoint.
            limits: `max_epochs` and further arguments of the Trainer.

        Returns:
            Time and steps of the stage.

        Raises:
            UserError: the checkpoint does not fit, or training diverged.
            InterruptedRun: a signal arrived; last.ckpt is written.
        """
        if resume_from is not None:
            resume_from.weights_for(module)
        metadata = CheckpointMetadata(stage, fingerprint)
        interruption = InterruptionHandler(self.folder.path, self.folder.last, self.checkpoint_interval)
        if not len(data.data.part("holdout")):
            limits["limit_val_batches"] = 0
        # The interruption handler is last, so that it writes the state after all other callbacks
        first: list[pl.Callback] = [DivergenceStop(stage), EmptyClusterWarning(self.console), CenterImages()]
        if self.world_size > 1:
            first.append(GradientAveraging())
        trainer = self._trainer(stage, [*first, *callbacks, metadata, interruption], resume_from, **limits)
        path = resume_from.path if resume_from else None
        data.wrap = self.stepping.wrapper(trainer, module, self._report)
        try:
            with _no_search_for_gpus(self.device), self.stepping.stream(self.device):
                trainer.fit(module, datamodule=data, ckpt_path=path, weights_only=True)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            if path is None or interruption.has_begun or isinstance(error, UserError):
                raise
            text = f"{path} holds no state of this training ({type(error).__name__}: {first_line(error)[:200]})"
            raise UserError(f"{text}; delete it, and the stage starts at its beginning") from error
        finally:
            self.stepping.release(module)
            data.wrap = None
        if any(isinstance(callback, Timer) and time_is_over(callback) for callback in trainer.callbacks):  # type: ignore[attr-defined]
            text = f"{stage}: stopped by trainer.max_time after {trainer.global_step} steps"
            self.console.print(text, highlight=False, soft_wrap=True)
        metadata.finished = True
        trainer.save_checkpoint(save_to)
        end = StageEnd(metadata.seconds, int(trainer.global_step))
        interruption.raise_if_interrupted()
        return end

    def _report(self, line: str) -> None:
        """Print a line, whatever its length."""
        self.console.print(line, highlight=False, soft_wrap=True)

    @cached_property
    def _probe(self) -> pl.Trainer:
        """Return a Trainer that never trains, to ask it for the device; raise `UserError` if there is none."""
        trainer = self._trainer("fit", [])
        strategy = trainer.strategy
        if trainer.world_size > 1 and (type(strategy) is not DDPStrategy or strategy._start_method != "popen"):
            raise UserError(f"found {trainer.world_size} devices; type trainer.strategy=ddp, or trainer.devices=1")
        if trainer.precision in _UNSUPPORTED:
            raise UserError(f"trainer.precision={trainer.precision} is not supported; use bf16-mixed or 32-true")
        return trainer

    def _trainer(
        self, stage: str, callbacks: Sequence[pl.Callback], opened: Checkpoint | None = None, **limits: int
    ) -> pl.Trainer:
        """Return the Trainer of a stage; raise `UserError` if its arguments or the machine do not allow one."""
        makers = [make for make in self.make_loggers.values() if make is not None]
        loggers = [make(save_dir=str(self.folder.path), name=stage, version="") for make in makers]
        try:
            trainer = self.make_trainer(
                default_root_dir=str(self.folder.path),
                logger=loggers,
                callbacks=list(callbacks),
                plugins=[AtomicCheckpointIO(opened)],
                use_distributed_sampler=False,
                num_sanity_val_steps=0,
                enable_model_summary=False,
                enable_checkpointing=False,
                **limits,
            )
        except (MisconfigurationException, ValueError, RuntimeError, ImportError) as error:
            raise UserError(_explain(error)) from error
        # Our progress line takes the place of Lightning's bar
        if trainer.progress_bar_callback is not None:
            trainer.callbacks.remove(trainer.progress_bar_callback)  # type: ignore[attr-defined]
            trainer.callbacks.insert(0, ProgressLine(stage, self.console))  # type: ignore[attr-defined]
        return trainer


@contextmanager
def _no_search_for_gpus(device: torch.device) -> Iterator[None]:
    """Keep PyTorch from asking the system for a GPU driver at every optimizer step of a run on the CPU.

    If there is a GPU, nothing is hidden, because CUDA remembers its first look for the rest of the process.
    """
    name, before = "CUDA_VISIBLE_DEVICES", os.environ.get("CUDA_VISIBLE_DEVICES")
    if device.type == "cpu" and torch.cuda.device_count() == 0:
        os.environ[name] = ""
    try:
        yield
    finally:
        os.environ.pop(name, None) if before is None else os.environ.update({name: before})


def _explain(error: Exception) -> str:
    """Return the first line of an error of the Trainer, and a setting to type if it is about the device."""
    text = first_line(error)
    if any(word in text.lower() for word in ("accelerator", "gpu", "cuda", "device")):
        return f"{text} Type trainer.accelerator=cpu, or trainer.accelerator=auto for the best there is."
    return f"trainer: {text}"
