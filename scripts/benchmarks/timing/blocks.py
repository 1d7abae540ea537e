"""CPU time around the optimizer steps of a tiny net: Lightning at every step, and blocks of steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import pytorch_lightning as pl
import torch

from deepcluster_pl.data.samples import Batch
from deepcluster_pl.methods.step import Draws, Losses, LossModule
from deepcluster_pl.training import stepping
from scripts.benchmarks.timing.rounds import Row, in_turn
from scripts.benchmarks.timing.segments import Bare, Ours

WIDTHS, DIMS, BATCH, STEPS = [784, 4, 2], "[4,2]", 16, 400


class NoStep:
    """Engine whose steps do nothing, so that everything else can be timed."""

    def __init__(self, trainer: pl.Trainer, module: LossModule) -> None:
        self.losses = {name: torch.ones(()) for name in ("loss", "kl")}

    def __call__(self, batch: Batch, draws: Draws) -> Losses:
        """Return losses that are always the same."""
        return self.losses


def blocks(data: Path, rounds: int) -> list[Row]:
    """Return milliseconds of CPU time a step, of one thread, whatever else the machine does.

    Args:
        data: file of the samples.
        rounds: number of rounds.
    """
    x = torch.from_numpy(np.load(data))
    contestants: dict[str, Callable[[int], float]] = {}
    for stage in ("pretrain", "fit"):
        contestants[f"{stage} bare"] = Bare(stage, x, WIDTHS, BATCH, "32-true")
        for size in ("1", "auto"):
            own = f"trainer.steps_per_block={size}"
            contestants[f"{stage} {size}"] = Ours(stage, data, DIMS, BATCH, "32-true", own)
        contestants[f"{stage} nothing"] = _without_steps(Ours(stage, data, DIMS, BATCH, "32-true"))
    with mock.patch("time.perf_counter", time.process_time):
        took = in_turn(contestants, STEPS, rounds)
    rows: list[Row] = []
    for stage, name in (("pretrain", "pretraining"), ("fit", "DEC")):
        for size in ("1", "auto"):
            pairs = zip(took[f"{stage} {size}"], took[f"{stage} bare"], strict=True)
            extra = [1e3 * (ours - bare) for ours, bare in pairs]
            rows.append((f"{name}, steps_per_block={size}: ours less the bare loop's, ms", extra, "-"))
        rows.append(
            (f"{name}, steps that do nothing in blocks, ms", [1e3 * s for s in took[f"{stage} nothing"]], "< 0.1")
        )
    return rows


def _without_steps(ours: Ours) -> Callable[[int], float]:
    """Return a contestant that takes no step within its blocks; Lightning takes its own."""

    def run(steps: int) -> float:
        with mock.patch.object(stepping, "EagerStep", NoStep):
            return ours(steps)

    return run
