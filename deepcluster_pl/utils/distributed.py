"""What the processes of one run tell each other; a run of one process has nobody to talk to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

T = TypeVar("T")


def world_size() -> int:
    """Number of processes of this run."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Which of them this is; the first, 0, is the one that writes."""
    return dist.get_rank() if world_size() > 1 else 0


def is_rank_zero() -> bool:
    """Whether this is the process that writes, scores and talks to the user."""
    return rank() == 0


def broadcast_from_rank_zero(make: Callable[[], T]) -> T:
    """What `make` returns in the first process, in all of them; the others do not call it."""
    if world_size() == 1:
        return make()
    box: list[T | None] = [make() if is_rank_zero() else None]
    dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
    return box[0]  # type: ignore[return-value]


def any_process(here: bool) -> bool:
    """Whether something holds in at least one process."""
    if world_size() == 1:
        return here
    flag = torch.tensor(int(here))
    dist.all_reduce(flag, op=dist.ReduceOp.MAX)
    return bool(flag)


def rank_slice(n: int) -> slice:
    """Which of n rows are this process's: consecutive, in the order of the ranks, sizes differing by one at most."""
    first, end = (n * place // world_size() for place in (rank(), rank() + 1))
    return slice(first, end)


def gather_rows(own: Tensor, n: int) -> Tensor:
    """All n rows (n, D), in every process, of which each holds those of `rank_slice`; by row, so none comes twice.

    Args:
        own: this process's rows (n / world, D).
        n: rows of all processes.
    """
    if world_size() == 1:
        return own
    longest = -(-n // world_size())
    padded = own.new_zeros((longest, *own.shape[1:]))
    padded[: len(own)] = own
    found = [torch.empty_like(padded) for _ in range(world_size())]
    dist.all_gather(found, padded)
    sizes = [n * (place + 1) // world_size() - n * place // world_size() for place in range(world_size())]
    return torch.cat([rows[:size] for rows, size in zip(found, sizes, strict=True)])
