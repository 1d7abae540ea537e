"""Where samples lie while a run works on them: on its device, in main memory, or on disk."""

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
_KEPT = {np.dtype(name) for name in ("bool", "uint8", "int8", "int16", "float16", "float32")}


class ResidentLoader:
    """Batches of samples that lie in memory as one tensor: a batch is one indexing call, on the samples' own device.

    Args:
        x: samples (N, *input_shape).
        sampler: decides which rows a batch holds.
    """

    def __init__(self, x: Tensor, sampler: SeededBatchSampler) -> None:
        self.x = x
        self._order = sampler  # an attribute called sampler would make Lightning look for a DataLoader's others

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Batch]:
        for rows in self._order.batches(self.x.device):
            yield self.x.index_select(0, rows), rows  # ten times as fast as x[rows]


def choose_place(asked: Residency, parts: list[Part], device: torch.device, num_workers: int) -> Place:
    """What `auto` comes to; `num_workers` > 0 and samples in memory means that batches are made in main memory.

    Args:
        asked: `device`, `host` and `disk` are taken at their word.
        parts: the samples.
        device: the run's.
        num_workers: processes that load batches, which cannot read another device's memory.
    """
    if asked != "auto":
        return asked
    size = sum(part.n_bytes for part in parts)
    if num_workers == 0 and size <= _free_bytes(device) // 2:
        return "device"
    return "disk" if size > MAPPED_BYTES and any(part.is_mapped for part in parts) else "host"


def resident(part: Part, device: torch.device) -> Tensor:
    """All samples of a part as one tensor in their own type, or float32 where a batch would be that."""
    x = part.everything()
    return torch.from_numpy(x if x.dtype in _KEPT else x.astype(np.float32)).to(device)


def _free_bytes(device: torch.device) -> int:
    """Free memory of an accelerator; 0 where there is none, or where it does not say."""
    module = torch.get_device_module(device)
    return int(module.mem_get_info()[0]) if hasattr(module, "mem_get_info") else 0
