"""The order of batches: a permutation of (seed, epoch), the same for one process and for many."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch.utils.data import Sampler


class SeededBatchSampler(Sampler[list[int]]):
    """Yields lists of row numbers; every row once an epoch, the last batch as short as it comes.

    The order depends on `seed` and the epoch alone, so any epoch can be replayed, and a stopped one resumed at
    batch `start`. With `world` > 1 each rank gets its slice of every global batch, without padding.

    Args:
        n: number of rows.
        batch_size: rows in a batch, summed over all ranks.
        seed: decides the permutations.
        shuffle: False keeps the order 0 … n-1 in every epoch.
        rank: which process this is.
        world: number of processes.
    """

    def __init__(self, n: int, batch_size: int, seed: int, shuffle: bool, rank: int = 0, world: int = 1) -> None:
        if batch_size < world:
            raise ValueError(f"batch_size={batch_size} should be >= the number of processes, {world}")
        self.n = n
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.rank = rank
        self.world = world
        self.epoch = 0
        self.start = 0
        self.sampler = self  # where Lightning looks for set_epoch

    def set_epoch(self, epoch: int) -> None:
        """Choose the permutation; Lightning calls this before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        order = self._order()
        start, self.start = self.start, 0  # a resumed epoch is short once, the next one whole
        for batch in range(start, len(self)):
            rows = order[batch * self.batch_size : (batch + 1) * self.batch_size]
            yield rows[self.rank :: self.world]

    def _order(self) -> list[int]:
        if not self.shuffle:
            return list(range(self.n))
        generator = torch.Generator().manual_seed((self.seed * 1_000_003 + self.epoch) % 2**63)
        return torch.randperm(self.n, generator=generator).tolist()
