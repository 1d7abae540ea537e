"""Order of batches: a permutation of (seed, epoch), the same for one process and for many."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.utils.data import Sampler


class SeededBatchSampler(Sampler[list[int]]):
    """Batches of row numbers: every row comes once an epoch, and the last batch may be short.

    The order of an epoch depends on `seed` and its number alone. The number of batches trained on so far decides the
    epoch and the batch to begin with, so an interrupted run resumes as if it had never stopped. With `world` > 1 each
    rank gets its slice of every global batch, without padding.

    Args:
        n: number of rows.
        batch_size: rows in a batch, summed over all ranks.
        seed: decides the permutations.
        shuffle: False keeps the order 0 ... n-1 in every epoch.
        rank: number of this process.
        world: number of processes.
        batches_done: called at the start of every iteration; 0 always repeats the first epoch.
    """

    def __init__(
        self,
        n: int,
        batch_size: int,
        seed: int,
        shuffle: bool,
        rank: int = 0,
        world: int = 1,
        batches_done: Callable[[], int] = int,
    ) -> None:
        if batch_size < world:
            raise ValueError(f"batch_size={batch_size} should be >= the number of processes, {world}")
        self.n = n
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.rank = rank
        self.world = world
        self.batches_done = batches_done

    def __len__(self) -> int:
        whole, rest = divmod(self.n, self.batch_size)
        # A rest too small for every rank joins the last whole batch.
        return max(min(1, self.n), whole + (rest >= self.world))

    def __iter__(self) -> Iterator[list[int]]:
        for rows in self.batches():
            yield rows.tolist()

    def rows_in(self, batch: int) -> int:
        """Return the number of rows of a batch of an epoch, summed over all ranks."""
        return self.batch_size if batch + 1 < len(self) else self.n - batch * self.batch_size

    def batches(self, device: torch.device | None = None) -> Iterator[Tensor]:
        """Yield the same batches as tensors (B,) on a device; they are views of one order of the epoch."""
        epoch, first = divmod(self.batches_done(), max(1, len(self)))
        order = self._order(epoch).to(device)
        for batch in range(first, len(self)):
            end = (batch + 1) * self.batch_size if batch + 1 < len(self) else self.n
            yield order[batch * self.batch_size : end][self.rank :: self.world]

    def _order(self, epoch: int) -> Tensor:
        """Return the row numbers (n,) in the order of an epoch."""
        if not self.shuffle:
            return torch.arange(self.n)
        generator = torch.Generator().manual_seed((self.seed * 1_000_003 + epoch) % 2**63)
        return torch.randperm(self.n, generator=generator)
