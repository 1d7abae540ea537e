"""Single training steps: this project beside a loop by hand, a stock loader, and the peers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from scripts.benchmarks.timing.peers import Peer
from scripts.benchmarks.timing.rounds import Row, in_turn, ratios
from scripts.benchmarks.timing.segments import Bare, Ours, Stock, matrix_peak, step_operations

ROWS, WIDTHS, DIMS = 70_000, [784, 500, 500, 2000, 10], "[500,500,2000,10]"
STEPS = {256: 40, 2048: 8}
PRECISIONS = ("32-true", "bf16-mixed")


def steps(data: Path, peers: dict[str, Peer], rounds: int) -> list[Row]:
    """Return ratios of speed of single training steps; above one, this project is faster."""
    x, rows = torch.from_numpy(np.load(data)), []
    for size in STEPS:
        took = in_turn(_contestants(data, x, size, peers), STEPS[size], rounds)
        for stage, name in (("pretrain", "pretraining"), ("fit", "DEC")):
            for precision in PRECISIONS:
                ours, bare = took[f"ours {stage} {precision}"], took[f"bare {stage} {precision}"]
                aim = f">= {0.95 if size == 256 else 0.97}"
                rows.append((f"{name}, batch {size}, {precision}: bare loop / ours", ratios(bare, ours), aim))
        ours, half = took["ours pretrain 32-true"], took["ours pretrain bf16-mixed"]
        stock_aim = ">= 1.15" if size == 256 else ">= 1.3"
        rows.append((f"batch {size}, 32-true: stock loader / ours", ratios(took["stock"], ours), stock_aim))
        rows.append((f"batch {size}: ours in 32-true / in bf16-mixed", ratios(ours, half), ">= 1.8 with avx512_bf16"))
        for precision, mine in zip(PRECISIONS, (ours, half), strict=True):
            rate = [step_operations(WIDTHS, size) / s for s in mine]
            share = [r / p for r, p in zip(rate, took[f"peak {precision}"], strict=True)]
            rows.append(
                (f"batch {size}, {precision}: share of the matrix peak", share, ">= 0.85" if size > 256 else "-")
            )
        for name in peers:
            rows.append(
                (
                    f"batch {size}: {name} in float32 / ours in 32-true",
                    ratios(took[name], ours),
                    _aim(name, size, False),
                )
            )
            rows.append(
                (
                    f"batch {size}: {name} in float32 / ours in bf16-mixed",
                    ratios(took[name], half),
                    _aim(name, size, True),
                )
            )
    return rows


def _contestants(data: Path, x: torch.Tensor, size: int, peers: dict[str, Peer]) -> dict[str, Callable[[int], float]]:
    found: dict[str, Callable[[int], float]] = {}
    for precision in PRECISIONS:
        found[f"peak {precision}"] = partial(_peak, precision)
        for stage in ("pretrain", "fit"):
            found[f"ours {stage} {precision}"] = Ours(stage, data, DIMS, size, precision)
            found[f"bare {stage} {precision}"] = Bare(stage, x, WIDTHS, size, precision)
    found["stock"] = Stock("pretrain", x, WIDTHS, size, "32-true")
    for name, peer in peers.items():
        found[name] = partial(peer.seconds, size)
    return found


def _peak(precision: str, _: int) -> float:
    return matrix_peak(precision)


def _aim(peer: str, size: int, half: bool) -> str:
    if peer == "clustpy":
        return ">= 2" if half else "-"
    return {True: ">= 2" if size == 256 else ">= 1.8", False: ">= 0.95"}[half]
