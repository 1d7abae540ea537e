"""Random draws that depend on a seed and a place in training alone, never on the global random state."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray


def generator_at(seed: int, *place: int) -> torch.Generator:
    """Return a generator of its own for each place in training.

    Args:
        seed: seed of the run.
        place: numbers, 0 or above, that name the place, such as epoch, batch and rank.

    Returns:
        A generator on the CPU.
    """
    state = np.random.SeedSequence((seed, *place)).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]))


def sample_rows(n: int, limit: int | None, seed: int) -> NDArray[np.int64]:
    """Return all n row numbers, or a seeded draw of `limit` of them without repetition.

    Args:
        n: number of rows.
        limit: largest number of rows to return; None returns all.
        seed: decides the draw.

    Returns:
        Row numbers (M,) in ascending order.

    >>> sample_rows(3, None, 0).tolist(), len(sample_rows(100, 7, 0))
    ([0, 1, 2], 7)
    """
    if limit is None or n <= limit:
        return np.arange(n, dtype=np.int64)
    return np.sort(np.random.default_rng(seed).choice(n, size=limit, replace=False))
