"""Milliseconds of a step of pretraining, eager and captured: in a stage of a run, and in the shortest program."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch

from deepcluster_pl.training.graphed_step import one_stream
from deepcluster_pl.utils.numerics import tf32_products
from scripts.benchmarks.timing.segments import Ours


def time_steps(
    data: Path, accelerator: str, short: bool, ways: Mapping[str, tuple[str, ...]]
) -> dict[str, dict[str, float]]:
    """Time the steps of every way to multiply, in batches of 256 and 2,048.

    Args:
        data: file to write the samples to.
        accelerator: gpu, or cpu.
        short: a tiny net and few steps.
        ways: overrides of a run by the name of the way: f32, tf32 or bf16.

    Returns:
        Milliseconds by batch and way: `eager` and `captured` of a run, `by_hand` and `by_hand_captured`.
    """
    device = torch.device("cuda" if accelerator == "gpu" else "cpu")
    widths, rows, steps = ([16, 4], 600, 20) if short else ([500, 500, 2000, 10], 70_000, 300)
    np.save(data, np.random.default_rng(0).integers(256, size=(rows, 28, 28), dtype=np.uint8))
    lines = {}
    for batch, way in itertools.product((64,) if short else (256, 2048), ways):
        line = {}
        for graph in ("false", "true"):
            probe = "pretrain.callbacks.probe=null"  # which is part of an epoch, not of a step
            own = (*ways[way], f"trainer.graph={graph}", f"trainer.accelerator={accelerator}", probe)
            ours = Ours("pretrain", data, str(widths).replace(" ", ""), batch, "32-true", *own)
            ours.data.move_to(device)
            line["captured" if graph == "true" else "eager"] = 1000 * ours(steps)
        line["by_hand"] = _step_by_hand(device, widths, batch, steps, way, captured=False)
        if device.type == "cuda":
            line["by_hand_captured"] = _step_by_hand(device, widths, batch, steps, way, captured=True)
        lines[f"{batch} {way}"] = {name: round(value, 3) for name, value in line.items()}
    return lines


def _step_by_hand(device: torch.device, widths: list[int], batch: int, steps: int, way: str, captured: bool) -> float:
    """Return the milliseconds of a step of the shortest program with the same net, Adam and bytes on the device."""
    layers: list[torch.nn.Module] = []
    for i, pair in enumerate(itertools.pairwise([784, *widths, *widths[-2::-1], 784])):
        is_last = i + 1 in (len(widths), 2 * len(widths))
        layers += [torch.nn.Linear(*pair), torch.nn.Identity() if is_last else torch.nn.ReLU()]
    net = torch.nn.Sequential(*layers).to(device)
    optimizer = torch.optim.Adam(net.parameters(), fused=True, capturable=captured)
    x = torch.randint(256, (70000, 784), dtype=torch.uint8, device=device)
    rows = torch.randint(len(x), (batch,), device=device)

    def train() -> None:
        samples = x[rows].float() / 255
        optimizer.zero_grad()
        with torch.autocast(device.type, torch.bfloat16, enabled=way == "bf16", cache_enabled=False):
            loss = torch.nn.functional.mse_loss(net(samples), samples)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    run: Callable[[], object] = train
    with tf32_products() if way == "tf32" else nullcontext(), one_stream(device):
        for n in range(steps + 20):
            if n == 10 and captured:
                graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
                    train()
                run = graph.replay
            if n == 20:
                _wait(device)
                began = time.monotonic()
            rows.copy_(torch.randint(len(x), (batch,), device=device))
            run()
        _wait(device)
    return 1000 * (time.monotonic() - began) / steps


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()
