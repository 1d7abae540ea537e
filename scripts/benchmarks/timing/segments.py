"""Training steps as this project takes them, and as a loop written by hand takes them; seconds a step."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from rich.console import Console
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from deepcluster_pl.config.instantiate import instantiate_node
from deepcluster_pl.config.recipes import conf_dir
from deepcluster_pl.data.datamodule import StageData
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.runs.pipeline import make_stages
from deepcluster_pl.runs.recipe import Recipe

WARM = 10
"""Steps before those that are timed."""


class Clock(pl.Callback):
    """A callback that times the steps after the first few."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.seconds = 0.0

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Start after the last warm-up step, stop after the last step."""
        if trainer.global_step in (WARM, WARM + self.steps) and trainer.strategy.root_device.type == "cuda":
            torch.cuda.synchronize()  # the kernels of the steps before have to be done
        if trainer.global_step == WARM:
            self.seconds = -time.perf_counter()
        if trainer.global_step == WARM + self.steps:
            self.seconds += time.perf_counter()


class Ours:
    """One stage of a composed recipe, with everything that a run has: Trainer, loggers, checks, signals."""

    def __init__(self, stage: str, x: Path, dims: str, batch_size: int, precision: str, *overrides: str) -> None:
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            self.cfg: DictConfig = compose(
                "config",
                [f"data.path={x}", "data=array", f"net.dims={dims}", f"trainer.precision={precision}", "method=dec",
                 "n_clusters=10", f"pretrain.batch_size={batch_size}", f"fit.batch_size={batch_size}",
                 "trainer.accelerator=cpu", "callbacks.target_refresh.update_interval=1000000", *overrides],
            )  # fmt: skip
        self.stage = stage
        self.data = Recipe.from_config(self.cfg).load_data()
        self.data.move_to(torch.device("cpu"))
        torch.manual_seed(0)
        self.net = instantiate_node(self.cfg.net, input_shape=self.data.input_shape)
        self.method = instantiate_node(self.cfg.method, net=self.net)
        self.method.initialize(Initialization(torch.zeros(1), torch.randn(self.cfg.n_clusters, self.net.latent_dim)))

    def __call__(self, steps: int) -> float:
        """Seconds a step."""
        settings, clock = self.cfg[self.stage], Clock(steps)
        if self.stage == "pretrain":
            self.net.requires_grad_(True)  # DEC froze the decoder
            module, callbacks = instantiate_node(settings.module, net=self.net), instantiate_node(settings.callbacks)
        else:
            module, callbacks = self.method, instantiate_node(self.cfg.callbacks)
        data = StageData(self.data, settings.batch_size, settings.shuffle, 0)
        with tempfile.TemporaryDirectory() as folder:
            stages = make_stages(Recipe.from_config(self.cfg), Path(folder), Console(quiet=True))
            own = [callback for callback in callbacks.values() if callback is not None]
            limits = {"max_epochs": -1, "max_steps": WARM + steps, "limit_val_batches": 0}
            save_to = stages.folder.final
            stages.train(self.stage, module, data, [*own, clock], {}, None, save_to, **limits)
        return clock.seconds / steps


class Bare:
    """The same step by hand: bytes in one tensor, one indexing call a batch, fused Adam (or SGD for DEC)."""

    def __init__(self, stage: str, x: Tensor, widths: list[int], batch_size: int, precision: str) -> None:
        torch.manual_seed(0)
        self.x, self.batch_size, self.dec = x.flatten(1), batch_size, stage == "fit"
        self.encoder, self.decoder = _layers(widths), _layers(widths[::-1])
        self.centers = nn.Parameter(torch.randn(10, widths[-1]))
        self.p = torch.softmax(torch.randn(len(x), 10), dim=1)
        self.autocast = torch.autocast("cpu", torch.bfloat16) if precision == "bf16-mixed" else nullcontext()
        if self.dec:
            weights = [*self.encoder.parameters(), self.centers]
            self.optimizer: torch.optim.Optimizer = torch.optim.SGD(weights, lr=0.01, momentum=0.9)
        else:
            weights = [*self.encoder.parameters(), *self.decoder.parameters()]
            self.optimizer = torch.optim.Adam(weights, lr=1e-3, fused=True)

    def __call__(self, steps: int) -> float:
        """Seconds a step."""
        return self._timed(self._batches(), steps)

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            for rows in torch.split(torch.randperm(len(self.x)), self.batch_size)[: len(self.x) // self.batch_size]:
                yield self.x[rows].float() / 255, rows

    def _timed(self, batches: Iterator[tuple[Tensor, Tensor]], steps: int) -> float:
        began = 0.0
        for step in range(WARM + steps):
            if step == WARM:
                began = time.perf_counter()
            x, rows = next(batches)
            self.optimizer.zero_grad(set_to_none=True)
            with self.autocast:
                z = self.encoder(x)
                loss = self._kl(z, self.p[rows]) if self.dec else nn.functional.mse_loss(self.decoder(z), x)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
        return (time.perf_counter() - began) / steps

    def _kl(self, z: Tensor, p: Tensor) -> Tensor:
        distances = torch.cdist(z.float(), self.centers, compute_mode="donot_use_mm_for_euclid_dist").square()
        return nn.functional.kl_div(torch.log_softmax(-torch.log1p(distances), dim=1), p, reduction="batchmean")


class Stock(Bare):
    """The same step with the usual `TensorDataset` and `DataLoader`: float32 samples, default collate."""

    def __init__(self, stage: str, x: Tensor, widths: list[int], batch_size: int, precision: str) -> None:
        super().__init__(stage, x, widths, batch_size, precision)
        dataset = TensorDataset(self.x.float() / 255, torch.arange(len(x)))
        self.loader = DataLoader(dataset, batch_size, shuffle=True, drop_last=True)

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            yield from ((x, rows) for x, rows in self.loader)


def matrix_peak(precision: str) -> float:
    """Measure the floating point operations a second of a large matrix product."""
    kind = torch.bfloat16 if precision == "bf16-mixed" else torch.float32
    a, b = torch.randn(2048, 2048).to(kind), torch.randn(2048, 2048).to(kind)
    _ = a @ b
    began = time.perf_counter()
    for _ in range(4):
        _ = a @ b
    return 4 * 2 * 2048**3 / (time.perf_counter() - began)


def step_operations(widths: list[int], batch_size: int) -> int:
    """Return the operations of an autoencoder's training step.

    Each weight and sample take two in the forward pass and four in the backward pass, two in the first layer.
    """
    weights = [a * b for a, b in pairwise(widths)]
    return batch_size * (6 * 2 * sum(weights) - 2 * weights[0])


def _layers(widths: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
