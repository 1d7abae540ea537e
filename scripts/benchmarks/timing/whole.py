"""Time operations on all samples at once, relative to an epoch of pretraining."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from deepcluster_pl.config.instantiate import instantiate_node
from deepcluster_pl.functional import target_distribution
from deepcluster_pl.methods.initialization.initial_clustering import fit_initialization
from deepcluster_pl.nets.embedding import embed_part
from scripts.benchmarks.timing.rounds import Row, in_turn, ratios
from scripts.benchmarks.timing.segments import Ours
from scripts.benchmarks.timing.steps import DIMS, ROWS, STEPS


def whole(data: Path, rounds: int) -> list[Row]:
    """Return the times of these operations relative to an epoch (70,000 samples, batch 256, 32-true)."""
    ours = Ours("pretrain", data, DIMS, 256, "32-true")
    draw = np.random.default_rng(0)
    blobs = {
        n: torch.from_numpy(
            (draw.normal(size=(10, 10)) * 2)[draw.integers(10, size=n)] + draw.normal(size=(n, 10))
        ).float()
        for n in (ROWS, 10**6)
    }

    def refresh(_: int) -> float:
        began = time.perf_counter()
        target_distribution(ours.method.assign_all(embed_part(ours.net, ours.data, "fit")))
        return time.perf_counter() - began

    def start(n: int, limit: int | None) -> Callable[[int], float]:
        def once(_: int) -> float:
            began = time.perf_counter()
            fit_initialization(instantiate_node(ours.cfg.start), blobs[n][:limit])
            return time.perf_counter() - began

        return once

    took = in_turn(
        {"epoch": lambda _: ours(STEPS[256]) * ROWS / 256, "refresh": refresh, "start": start(ROWS, None),
         "million": start(10**6, ours.cfg.start_sample_size), "all": start(10**6, None)}, 1, rounds,
    )  # fmt: skip
    return [
        (
            "a refresh of the targets of 70,000 samples / an epoch of pretraining",
            ratios(took["refresh"], took["epoch"]),
            "-",
        ),
        (
            "start=kmeans, 20 restarts on 70,000 x 10 / an epoch of pretraining",
            ratios(took["start"], took["epoch"]),
            "-",
        ),
        (
            "the same on 1,000,000 x 10 (found on 200,000 of them) / an epoch",
            ratios(took["million"], took["epoch"]),
            "-",
        ),
        ("the same on 1,000,000 x 10 with start_sample_size=null / an epoch", ratios(took["all"], took["epoch"]), "-"),
    ]
