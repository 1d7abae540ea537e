"""Float32 arithmetic of a run: in full precision, and without denormal numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def float32_arithmetic() -> Iterator[None]:
    """Compute convolutions without TF32 and flush denormal numbers to zero; restore the settings afterwards.

    Dead ReLU units leave Adam with momenta below 1e-38. They change nothing, and CPUs compute with them many times as
    slowly.
    """
    tf32, flushes = torch.backends.cudnn.allow_tf32, flushes_denormal()
    torch.backends.cudnn.allow_tf32 = False
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = tf32
        torch.set_flush_denormal(flushes)


@contextmanager
def tf32_products() -> Iterator[None]:
    """Multiply float32 matrices and convolve in TF32 on an NVIDIA GPU: 10 bits of each factor, sums in float32.

    Nothing changes on any other device.
    """
    products, convolutions = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = products, convolutions


def flushes_denormal() -> bool:
    """Return whether this thread flushes denormal numbers to zero; PyTorch can set this, but not say it."""
    smallest = torch.finfo(torch.float32).tiny
    return bool(torch.full((1,), smallest).div(2).eq(0))
