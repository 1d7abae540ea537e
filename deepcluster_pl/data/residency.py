"""Residency of samples during a run: on its device, in main memory, or on disk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from deepcluster_pl.data.sampler import SeededBatchSampler
from deepcluster_pl.data.samples import Batch, Part

Residency = Literal["auto", "device", "host", "disk"]
Place = Literal["device", "host", "disk"]
MAPPED_BYTES = 2**31
"""Size above which `auto` leaves a memory map on disk."""
_UNCONVERTED = {np.dtype(name) for name in ("bool", "uint8", "int8", "int16", "float16", "float32")}


class ResidentLoader:
    """Loader of samples that are in memory as one tensor: a batch is one indexing call on the tensor's device.

    Args:
        x: samples (N, *input_shape).
        sampler: source of the rows of each batch.
    """

    def __init__(self, x: Tensor, sampler: SeededBatchSampler) -> None:
        self.x = x
        self._order = sampler  # an attribute called sampler would make Lightning look for a DataLoader's others

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Batch]:
        for rows in self._order.batches(self.x.device):
            yield self.x.index_select(0, rows), rows  # much faster than x[rows]


def choose_place(requested: Residency, parts: list[Part], device: torch.device, num_workers: int) -> Place:
    """Choose where samples are held during a run.

    Args:
        requested: `device`, `host` and `disk` are returned as they are; `auto` takes the first place with room.
        parts: the samples.
        device: the run's.
        num_workers: number of processes that load batches; they cannot read another device's memory.

    Returns:
        The device where half of its free memory holds all samples, else the disk for memory maps of more than
        `MAPPED_BYTES`, else main memory.
    """
    if requested != "auto":
        return requested
    size = sum(part.n_bytes for part in parts)
    if num_workers == 0 and size <= _free_bytes(device) // 2:
        return "device"
    return "disk" if size > MAPPED_BYTES and any(part.is_mapped for part in parts) else "host"


def resident(part: Part, device: torch.device) -> Tensor:
    """Load all samples of a part into memory.

    Args:
        part: the samples.
        device: device of the result.

    Returns:
        Samples (N, *input_shape) in their own type, or float32 where PyTorch lacks the type or it would waste memory.
    """
    x = part.load_all()
    return torch.from_numpy(x if x.dtype in _UNCONVERTED else x.astype(np.float32)).to(device)


def _free_bytes(device: torch.device) -> int:
    """Return the free memory of an accelerator; 0 where there is none, or where it cannot be measured."""
    module = torch.get_device_module(device)
    return int(module.mem_get_info()[0]) if hasattr(module, "mem_get_info") else 0
