"""Device that large computations on points in main memory are sent to: the run's, where that is an accelerator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

_CPU = torch.device("cpu")
_device: ContextVar[torch.device] = ContextVar("device", default=_CPU)


@contextmanager
def work_on(device: torch.device) -> Iterator[None]:
    """Send neighbor searches, communities, k-means and mixtures to a device while the block lasts.

    Args:
        device: the device of a run. Its GPU is used; a Mac's lacks float64, so there everything stays on the CPU.
    """
    token = _device.set(device if device.type == "cuda" else _CPU)
    try:
        yield
    finally:
        _device.reset(token)


def work_device() -> torch.device:
    """Return the device that large computations are sent to.

    >>> work_device()
    device(type='cpu')
    """
    return _device.get()


def to_work_device(points: Tensor) -> Tensor:
    """Return points on the device for large computations; those on an accelerator stay where they are."""
    return points.to(_device.get()) if points.device.type == "cpu" else points
