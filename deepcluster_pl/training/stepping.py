"""Choice of who takes the optimizer steps of a stage: Lightning, or a step engine in blocks, eager or as a graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal

import pytorch_lightning as pl
import torch

from deepcluster_pl.data.base import Loader
from deepcluster_pl.data.residency import ResidentLoader
from deepcluster_pl.methods.step import LossModule
from deepcluster_pl.training.blocks import Blocks, obstacle_to_blocks
from deepcluster_pl.training.graphed_step import GraphedStep, obstacle_to_graph, one_stream, round_rates
from deepcluster_pl.training.step_engine import EagerStep, StepEngine
from deepcluster_pl.utils.numerics import tf32_products

AUTO_STEPS = 100
"""Steps in a block where none are asked for; most blocks end earlier, with an epoch or at a refresh."""


@dataclass(frozen=True)
class Stepping:
    """Choice of who takes the optimizer steps of a run.

    Attributes:
        steps_per_block: largest number of steps in a block; `auto` is 100, and 1 where blocks cannot be.
        graph: whether steps are captured as a graph; `auto` does so on a GPU.
        matmul: how a step multiplies float32 matrices. All else is in float32 proper: refreshes, targets, predictions.
    """

    steps_per_block: int | Literal["auto"] = "auto"
    graph: bool | Literal["auto"] = False
    matmul: Literal["ieee", "tf32"] = "ieee"
    _said: list[str] = field(default_factory=list, compare=False)

    def wrapper(
        self, trainer: pl.Trainer, module: pl.LightningModule, report: Callable[[str], object]
    ) -> Callable[[Loader], Any]:
        """Return what a stage does with its training batches, and tell the module how to multiply.

        Args:
            trainer: Trainer of the stage.
            module: the module to train.
            report: prints a sentence, if a graph was asked for and cannot be; once in a run.

        Returns:
            A function that returns a loader as it is, where Lightning takes every step, or in blocks.
        """
        if isinstance(module, LossModule):
            module.step_context = lambda: self._around_a_step(trainer)
        size = AUTO_STEPS if self.steps_per_block == "auto" else self.steps_per_block
        reason = obstacle_to_blocks(trainer, module) if size > 1 else "trainer.steps_per_block=1"

        def say(why: str) -> None:
            on_gpu = trainer.strategy.root_device.type == "cuda"
            if (self.graph is True or (self.graph and on_gpu)) and not self._said:
                self._said.append(why)
                report(f"trainer.graph={self.graph} has no effect: {why}".replace("=True", "=true"))

        def make_engine(trainer: pl.Trainer, module: LossModule) -> StepEngine:
            obstacle = obstacle_to_graph(trainer, trainer.optimizers[0]) if self.graph else ""
            if self.graph and not obstacle:
                return GraphedStep(trainer, module, say)
            say(obstacle)
            return EagerStep(trainer, module)

        def wrap(loader: Loader) -> Any:
            if reason or not isinstance(module, LossModule) or not isinstance(loader, ResidentLoader):
                say(reason or "samples are read from disk")
                return loader
            return Blocks(loader, trainer, module, size, make_engine)

        return wrap

    def release(self, module: pl.LightningModule) -> None:
        """Leave a trained module without the Trainer, so that it can be pickled."""
        if isinstance(module, LossModule):
            module.step_context = nullcontext

    @contextmanager
    def _around_a_step(self, trainer: pl.Trainer) -> Iterator[None]:
        """Multiply as asked for, and take the rates of a graph where there is one."""
        if self.graph and trainer.strategy.root_device.type == "cuda":
            round_rates(trainer.optimizers[0])
        with tf32_products() if self.matmul == "tf32" else nullcontext():
            yield

    def stream(self, device: torch.device) -> AbstractContextManager[None]:
        """Return the context that a stage trains in."""
        return one_stream(device) if self.graph else nullcontext()
