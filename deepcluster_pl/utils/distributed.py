"""Collective operations of the processes of one run; with one process they do nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

T = TypeVar("T")


def world_size() -> int:
    """Return the number of processes of this run."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Return the number of this process, from 0."""
    return dist.get_rank() if world_size() > 1 else 0


def is_rank_zero() -> bool:
    """Return True in the process that writes files, computes scores and prints."""
    return rank() == 0


def broadcast_from_rank_zero(make: Callable[[], T]) -> T:
    """Call a function on rank 0, and return its result in every process.

    Args:
        make: called on rank 0 only; its result is pickled for the others.
    """
    if world_size() == 1:
        return make()
    box: list[T | None] = [make() if is_rank_zero() else None]
    dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
    return box[0]  # type: ignore[return-value]


def any_process(here: bool) -> bool:
    """Return True, in every process, if a condition holds in at least one.

    Args:
        here: True if it holds in this process.
    """
    if world_size() == 1:
        return here
    flag = torch.tensor(int(here))
    dist.all_reduce(flag, op=dist.ReduceOp.MAX)
    return bool(flag)


def rank_slice(n: int) -> slice:
    """Return the rows of this process: consecutive, in the order of the ranks, sizes differing by one at most.

    Args:
        n: rows of all processes.
    """
    return slice(n * rank() // world_size(), n * (rank() + 1) // world_size())


def gather_rows(own: Tensor, n: int) -> Tensor:
    """Gather the rows of all processes, of which each holds those of `rank_slice`.

    Args:
        own: this process's rows (n / world, D).
        n: rows of all processes.

    Returns:
        All rows (n, D), in every process, in order and each of them once.
    """
    if world_size() == 1:
        return own
    # Every process sends as many rows as the one with the most, because all_gather takes equal shapes
    longest = -(-n // world_size())
    padded = own.new_zeros((longest, *own.shape[1:]))
    padded[: len(own)] = own
    gathered = [torch.empty_like(padded) for _ in range(world_size())]
    dist.all_gather(gathered, padded)
    # The padding is cut off again
    sizes = [n * (place + 1) // world_size() - n * place // world_size() for place in range(world_size())]
    return torch.cat([rows[:size] for rows, size in zip(gathered, sizes, strict=True)])
