"""The one way to look at all data through a net: evaluation mode, no gradients, float32."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from itertools import chain

import torch
from torch import Tensor

from deepcluster_pl.data.datamodule import ClusteringData, PartName
from deepcluster_pl.data.samples import Batch
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.distributed import gather_rows, rank_slice


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
            codes = (net.encode(net.prepare(x.to(device, non_blocking=True))) for x, _ in loader)
            return _joined(codes, len(loader)) if isinstance(loader, Sized) else torch.cat(list(codes))
    finally:
        for module, training in modes:
            module.training = training


def _joined(codes: Iterator[Tensor], n_batches: int) -> Tensor:
    """Batches (B, D), the last one shorter, one below the other, each put in its place at once.

    Held one by one they would lie between the activations of their batches and keep that memory from being used again:
    900 bytes a row for 64-256-256-10, on the CPU.
    """
    first = next(codes)
    out, filled = first.new_empty((n_batches * len(first), *first.shape[1:])), 0
    for code in chain([first], codes):
        out[filled : filled + len(code)] = code
        filled += len(code)
    return out[:filled]


def embed_part(net: Autoencoder, data: ClusteringData, name: PartName) -> Tensor:
    """Embeddings (N, D) of one part, in its order; several processes share the work, and each of them gets all."""
    n = len(data.part(name))
    return gather_rows(embed(net, data.loader(name, rank_slice(n))), n)
