"""The one way to look at all data through a net: evaluation mode, no gradients, float32."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from deepcluster_pl.data.base import ClusteringData, PartName
from deepcluster_pl.data.table import Batch
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.processes import gather_rows, own_slice


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


def embed_part(net: Autoencoder, data: ClusteringData, name: PartName) -> Tensor:
    """Embeddings (N, D) of one part, in its order; several processes share the work, and each of them gets all."""
    n = len(data.part(name))
    return gather_rows(embed(net, data.loader(name, own_slice(n))), n)
