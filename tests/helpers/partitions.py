"""Samples in plain groups, and partitions that are worse than those by a chosen number of samples."""

from __future__ import annotations

import numpy as np


def four_groups():
    """Return four groups (N, 3) of 60 points, and their numbers."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(4), 60)
    return (rng.normal(size=(4, 3))[groups] * 5 + rng.normal(size=(240, 3))).astype(np.float32), groups


def disturbed(groups, n, seed=0):
    """Return the groups with n samples in a group drawn at random."""
    rng, out = np.random.default_rng(seed), groups.copy()
    out[rng.choice(len(groups), n, replace=False)] = rng.integers(groups.max() + 1, size=n)
    return out
