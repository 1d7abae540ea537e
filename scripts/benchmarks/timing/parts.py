"""Time single operations in two ways: the usual one, and the one that this project uses."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import torch
from torch import nn

from scripts.benchmarks.timing.rounds import Row, in_turn, ratios


def parts(rounds: int) -> list[Row]:
    """Return ratios of time, the other way by ours, for batches of 256 images of 28x28 bytes."""
    x = torch.randint(256, (70_000, 28, 28), dtype=torch.uint8)
    rows, shift, factor = torch.randperm(len(x))[:256], torch.zeros(28, 28), torch.ones(28, 28)
    some = x[rows]
    net = nn.Linear(64, 64)
    adam = torch.optim.Adam(net.parameters(), fused=True)
    pairs: dict[str, tuple[Callable[[], object], Callable[[], object], int]] = {
        "a batch by x[rows] / by index_select": (lambda: x[rows], lambda: x.index_select(0, rows), 200),
        "bytes prepared in new tensors / in place": (
            lambda: (some.float() / 255 - shift) * factor,
            lambda: (some.float().div_(255) - shift).mul_(factor),
            200,
        ),
        "a small net's fused Adam with the search for a GPU / without": (
            lambda: _stepped(adam, net, visible=True),
            lambda: _stepped(adam, net, visible=False),
            200,
        ),
        "Adam on 500 x 2000 weights with denormal momenta, kept / flushed": (
            lambda: _denormal(flush=False),
            lambda: _denormal(flush=True),
            1,
        ),
    }
    found = []
    for name, (other, ours, times) in pairs.items():
        took = in_turn({"other": _timed(other), "ours": _timed(ours)}, times, rounds)
        found.append((name, ratios(took["other"], took["ours"]), "-"))
    return found


def _timed(act: Callable[[], object]) -> Callable[[int], float]:
    def run(times: int) -> float:
        began = time.perf_counter()
        for _ in range(times):
            act()
        return time.perf_counter() - began

    return run


def _stepped(adam: torch.optim.Optimizer, net: nn.Module, visible: bool) -> None:
    os.environ.pop("CUDA_VISIBLE_DEVICES", None) if visible else os.environ.update(CUDA_VISIBLE_DEVICES="")
    for parameter in net.parameters():
        parameter.grad = torch.zeros_like(parameter)
    adam.step()


def _denormal(flush: bool) -> None:
    """Take twenty steps with momenta of 1e-39 and gradients of zero."""
    torch.set_flush_denormal(flush)
    weight = nn.Parameter(torch.randn(500, 2000))
    weight.grad = torch.zeros_like(weight)
    adam = torch.optim.Adam([weight], fused=True)
    adam.step()
    for name in ("exp_avg", "exp_avg_sq"):
        adam.state[weight][name].fill_(1e-39)
    for _ in range(20):
        adam.step()
    torch.set_flush_denormal(True)
