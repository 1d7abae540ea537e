"""The one way to look at all data through a net: evaluation mode, no gradients, float32."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from deepcluster_pl.data.table import Batch
from deepcluster_pl.nets.base import Autoencoder


@torch.no_grad()
def embed(net: Autoencoder, loader: Iterable[Batch]) -> Tensor:
    """Embeddings (N, D) in float32 of all samples in the loader's order, on the net's device.

    Autocast is off whatever the trainer's precision, and every submodule's mode is as before afterwards.
    """
    device = net.shift.device
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        with torch.autocast(device.type, enabled=False):
            return torch.cat([net.encode(net.prepare(x.to(device, non_blocking=True))) for x, _ in loader])
    finally:
        for module, training in modes:
            module.training = training
