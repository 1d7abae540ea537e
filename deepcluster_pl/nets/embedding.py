"""Compute the embeddings of all data: evaluation mode, no gradients, no autocast."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from itertools import chain

import torch
from torch import Tensor

from deepcluster_pl.data.base import ClusteringData, PartName
from deepcluster_pl.data.samples import Batch
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.distributed import gather_rows, rank_slice
from deepcluster_pl.utils.progress import counted


@torch.no_grad()
def embed(net: Autoencoder, loader: Iterable[Batch]) -> Tensor:
    """Compute the embeddings of all samples of a loader.

    Autocast is off whatever the trainer's precision, and every submodule's mode is as before afterwards.

    Args:
        net: the net.
        loader: batches of raw samples and their row numbers.

    Returns:
        Embeddings (N, D) in the net's type, in the loader's order, on the net's device.
    """
    device = net.shift.device
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        with torch.autocast(device.type, enabled=False):
            number = len(loader) if isinstance(loader, Sized) else 0
            batches = (net.encode(net.prepare(x.to(device, non_blocking=True))) for x, _ in counted(loader, number))
            if isinstance(loader, Sized):
                return _joined(batches, len(loader), net)
            return torch.cat([net.shift.new_empty((0, net.latent_dim)), *batches])
    finally:
        for module, training in modes:
            module.training = training


def _joined(batches: Iterator[Tensor], n_batches: int, net: Autoencoder) -> Tensor:
    """Join batches (B, D) of embeddings, the last one shorter, each copied to its place at once.

    A list of them would be scattered between the activations of their batches and keep that memory from being used
    again: 900 bytes a row for 64-256-256-10, on the CPU.
    """
    first = next(batches, None)
    if first is None:  # a process without rows of a small part
        return net.shift.new_empty((0, net.latent_dim))
    joined, n_rows = first.new_empty((n_batches * len(first), *first.shape[1:])), 0
    for batch in chain([first], batches):
        joined[n_rows : n_rows + len(batch)] = batch
        n_rows += len(batch)
    return joined[:n_rows]


def embed_part(net: Autoencoder, data: ClusteringData, name: PartName) -> Tensor:
    """Compute the embeddings of one part; several processes share the work, and each of them gets all.

    Args:
        net: the net, the same in every process.
        data: the data.
        name: the part.

    Returns:
        Embeddings (N, D) in the net's type, in the part's order, on the net's device.
    """
    n = len(data.part(name))
    return gather_rows(embed(net, data.loader(name, rank_slice(n))), n)
