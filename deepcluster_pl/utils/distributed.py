"""Collective operations of the processes of one run; with one process they do nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from deepcluster_pl.errors import UserError

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

    Raises:
        UserError: the function raised one on rank 0; then every process does, so that none waits for another.
    """
    if world_size() == 1:
        return make()
    box: list[T | None] = [None, None]
    failure: UserError | None = None
    if is_rank_zero():
        try:
            box = [make(), None]
        except UserError as error:
            failure, box = error, [None, str(error)]  # type: ignore[list-item]
    dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
    if box[1] is not None:
        raise failure or UserError(str(box[1]))
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


def mean_over_processes(own: Tensor, n: int) -> Tensor:
    """Return the mean over the samples of all processes of a value that is a mean over each process's samples.

    Gradients flow through it to the samples of all processes, provided that every process computes the same loss from
    the mean, and that the gradients of weights are averaged with the same weights (`GradientAveraging`).

    Args:
        own: mean over this process's samples, of any shape.
        n: number of this process's samples, at least one.

    Returns:
        The mean, in the shape and type of `own`, float32 at least; `own` itself where there is one process.
    """
    if world_size() == 1:
        return own
    own = own.to(torch.promote_types(own.dtype, torch.float32))
    mean: Tensor = _MeanOverProcesses.apply(own, n)
    return mean


class _MeanOverProcesses(torch.autograd.Function):
    """Weighted mean over processes; its gradient is the mean of the processes' gradients with the same weights."""

    @staticmethod
    def forward(ctx: Any, own: Tensor, n: int) -> Tensor:
        """Send sums and counts at once, and keep this process's share for the gradient."""
        sent = torch.cat([own.detach().flatten() * n, own.new_full((1,), n)])
        dist.all_reduce(sent)
        ctx.share = n / sent[-1]
        return (sent[:-1] / sent[-1]).view(own.shape)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Return Σ share · gradient. `GradientAveraging` multiplies this process's part by its share afterwards."""
        sent = gradients[0] * ctx.share
        dist.all_reduce(sent)
        return sent, None


def sum_over_processes(own: Tensor) -> Tensor:
    """Return the sum of a tensor over all processes; no gradient reaches it.

    Args:
        own: tensor of this process, of the same shape in all of them.
    """
    if world_size() == 1:
        return own
    total = own.detach().clone()
    dist.all_reduce(total)
    return total


def rows_of_rank(drawn: Tensor, n: int) -> Tensor:
    """Return this process's rows of a tensor that has rows for all samples of a batch.

    Of `world` processes, rank r has the samples r, r + world, r + 2 · world … of a batch (`SeededBatchSampler`).

    Args:
        drawn: one or several blocks (m · n, ...) of a row for each sample.
        n: samples of the batch in all processes.

    Returns:
        The rows (m · own, ...) of this process's samples, block after block.
    """
    if world_size() == 1:
        return drawn
    return drawn.view(-1, n, *drawn.shape[1:])[:, rank() :: world_size()].flatten(0, 1)


def gather_all(own: Tensor) -> Tensor:
    """Return the rows of all processes, in the order of the ranks, however many each has.

    Args:
        own: this process's rows (n, D).
    """
    if world_size() == 1:
        return own
    counts = torch.zeros(world_size(), dtype=torch.long, device=own.device)
    counts[rank()] = len(own)
    dist.all_reduce(counts)
    padded = own.new_zeros((int(counts.max()), *own.shape[1:]))
    padded[: len(own)] = own
    gathered = [torch.empty_like(padded) for _ in range(world_size())]
    dist.all_gather(gathered, padded)
    return torch.cat([rows[:count] for rows, count in zip(gathered, counts.tolist(), strict=True)])


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
