"""Engine that captures an optimizer step once, as a graph of a GPU's kernels, and replays it from then on."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor

from deepcluster_pl.data.samples import Batch
from deepcluster_pl.errors import first_line
from deepcluster_pl.methods.step import Draws, Losses, LossModule
from deepcluster_pl.training.step_engine import EagerStep

Capture = Callable[[Callable[[], Losses]], tuple[Callable[[], object], Losses]]
"""Records a step without executing it; returns what replays it, and the tensors that each replay writes to."""
WARM_UP = 3
"""Steps of one kind that are taken eagerly before a capture; they make the optimizer's state and the libraries' own."""


class GraphedStep:
    """Engine that starts a whole step with one call, as a GPU computes a small step faster than Python starts it.

    A graph reads and writes the same memory at every replay, and knows no Python. So each step's batch, draws and
    targets are copied into tensors of the graph, and its learning rates are tensors too. All else that a step reads
    from Python is part of the kind of a step (`LossModule.step_constants`): another kind is another graph.

    Args:
        trainer: Trainer of the stage.
        module: the module to train.
        report: takes a sentence, at most once, if a step cannot be captured; steps are taken eagerly then.
        capture: records a step; a test replaces it.
    """

    def __init__(
        self,
        trainer: pl.Trainer,
        module: LossModule,
        report: Callable[[str], object],
        capture: Capture | None = None,
    ) -> None:
        self.module = module
        self.report = report
        self.capture = capture_on_gpu if capture is None else capture
        self._eager = EagerStep(trainer, module)
        self._graph: _Graph | None = None
        self._kind: Hashable = None
        self._taken = 0  # eager steps of this kind
        self._has_failed = False

    def __call__(self, batch: Batch, draws: Draws) -> Losses:
        """Take one step; see `StepEngine`."""
        if self._has_failed:
            return self._eager(batch, draws)
        round_rates(self._eager.optimizer)
        kind = self._kind_of(batch, draws)
        if kind != self._kind or (self._graph is not None and not self._graph.is_valid()):
            self._kind, self._graph, self._taken = kind, None, 0
        if self._graph is None and self._taken == WARM_UP:
            self._try_capture(batch, draws)
        if self._graph is None:
            self._taken += 1
            return self._eager(batch, draws)
        return self._graph(batch, draws)

    def _kind_of(self, batch: Batch, draws: Draws) -> Hashable:
        """Return everything that a graph has frozen: shapes, names and Python values."""
        tensors = {"x": batch[0], **draws}
        shapes = tuple((name, tuple(tensor.shape), tensor.dtype) for name, tensor in tensors.items())
        return shapes, self.module.step_constants()

    def _try_capture(self, batch: Batch, draws: Draws) -> None:
        """Capture a step of this kind; report why, where it cannot be captured."""
        try:
            self._graph = _Graph(self._eager, batch, draws, self.capture)
        except RuntimeError as error:
            self._has_failed = True
            self.report(f"a step could not be captured ({first_line(error)[:200]})")


class _Graph:
    """One captured step, and the tensors that it reads.

    Args:
        step: the eager step, called once, during the capture.
        batch: a batch of the right kind.
        draws: draws of the right kind.
        capture: records the step.
    """

    def __init__(self, step: EagerStep, batch: Batch, draws: Draws, capture: Capture) -> None:
        device = batch[0].device
        self.module, self.optimizer = step.module, step.optimizer
        self.x, self.index = batch[0].clone(), batch[1].clone()
        self.draws = {name: tensor.to(device, copy=True) for name, tensor in draws.items()}
        self.rates = [torch.tensor(float(group["lr"]), device=device) for group in self.optimizer.param_groups]
        self._given = _targets(self.module)
        self.targets = None if self._given is None else self._given.clone()
        self._state = self._first_state()
        with self._own_tensors():
            self._replay, self._losses = capture(lambda: step((self.x, self.index), self.draws))

    def is_valid(self) -> bool:
        """Return whether the optimizer still has the state that the graph writes to; a reset or a load replaces it."""
        return self._first_state() is self._state

    def __call__(self, batch: Batch, draws: Draws) -> Losses:
        """Copy the inputs of a step to where the graph reads them, and replay it."""
        self.x.copy_(batch[0])
        self.index.copy_(batch[1])
        for name, tensor in draws.items():
            self.draws[name].copy_(tensor, non_blocking=True)
        for rate, group in zip(self.rates, self.optimizer.param_groups, strict=True):
            rate.fill_(float(group["lr"]))
        targets = _targets(self.module)
        if self.targets is not None and targets is not self._given:
            self.targets.copy_(targets)  # type: ignore[arg-type]
            self._given = targets
        self._replay()
        return self._losses

    @contextmanager
    def _own_tensors(self) -> Iterator[None]:
        """Let the step read the graph's tensors; outside, numbers and targets are those of an eager step."""
        groups = self.optimizer.param_groups
        before = [{name: group[name] for name in ("lr", "capturable") if name in group} for group in groups]
        try:
            for group, values, rate in zip(groups, before, self.rates, strict=True):
                for name in values:
                    group[name] = rate if name == "lr" else True
            if self.targets is not None:
                self.module.targets = self.targets
            yield
        finally:
            for group, values in zip(groups, before, strict=True):
                for name, value in values.items():
                    group[name] = value
            if self._given is not None:
                self.module.targets = self._given

    def _first_state(self) -> dict[str, Any] | None:
        """Return the optimizer's state of the first parameter that has one."""
        return next(iter(self.optimizer.state.values()), None)


def capture_on_gpu(step: Callable[[], Losses]) -> tuple[Callable[[], object], Losses]:
    """Record a step on the current stream as a CUDA graph; nothing is executed.

    Args:
        step: takes the step.

    Returns:
        The replay, and the losses that it writes.
    """
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
        losses = step()
    return graph.replay, losses


def round_rates(optimizer: torch.optim.Optimizer) -> None:
    """Round learning rates to float32, as those of a graph are: then eager steps beside it are the same bit by bit."""
    for group in optimizer.param_groups:
        if not isinstance(group["lr"], Tensor):  # as it is during a capture
            group["lr"] = float(np.float32(group["lr"]))


@contextmanager
def one_stream(device: torch.device) -> Iterator[None]:
    """Start everything in one stream of its own, since a capture must not meet gradients of the default stream."""
    if device.type != "cuda":
        yield
        return
    outer = torch.cuda.current_stream(device)
    stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    stream.wait_stream(outer)
    with torch.cuda.stream(stream):
        yield
    outer.wait_stream(stream)


def obstacle_to_graph(trainer: pl.Trainer, optimizer: torch.optim.Optimizer) -> str:
    """Return the reason why no step of a stage can be captured.

    Args:
        trainer: Trainer of the stage.
        optimizer: its optimizer.

    Returns:
        The reason in a few words; an empty string if there is none.
    """
    if trainer.strategy.root_device.type != "cuda":
        return f"a graph needs an NVIDIA GPU, and the run is on {trainer.strategy.root_device.type}"
    if torch.is_anomaly_enabled():
        return "trainer.detect_anomaly=true looks into every step"
    if not all(group.get("fused") for group in optimizer.param_groups):
        return "the learning rate of an optimizer that is not fused would be frozen; type fused=true"
    return ""


def _targets(module: LossModule) -> Tensor | None:
    """Return the targets of a clustering method; None for a module without any."""
    return getattr(module, "targets", None)
