"""Choice of the samples that are used, fitted and held out: a protocol in a few numbers."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.ranges import Count, NonNegativeInt

Split = Literal["random", "order", "stratified"]


class Subset:
    """A part of the source to work on; None, or as many as there are, takes all of it in its own order.

    Args:
        size: number of samples, drawn and shuffled.
        stratify: keep each label's share.
        seed: decides the draw.
    """

    def __init__(self, size: Count | None, stratify: bool, seed: NonNegativeInt) -> None:
        self.size = size
        self.stratify = stratify
        self.seed = seed

    def rows(self, n: int, labels: NDArray[Any] | None) -> NDArray[np.int64]:
        """Draw the subset.

        Args:
            n: number of samples of the source.
            labels: labels (n,), or None; only `stratify` reads them.

        Returns:
            Row numbers of the subset.

        Raises:
            UserError: the subset is larger than the source, or lacks the labels to stratify by.
        """
        everything = np.arange(n, dtype=np.int64)
        if self.size is None or self.size == n:
            return everything
        if self.size > n:
            raise UserError(f"data.subset.size={self.size} is more than the {n} samples there are")
        if not self.stratify:
            return np.random.default_rng(self.seed).permutation(everything)[: self.size]
        return _stratified_split(everything, labels, self.size, self.seed, "data.subset.stratify=true")[0]


def split_rows(
    rows: NDArray[np.int64], labels: NDArray[Any] | None, holdout: float, split: Split, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divide rows into those fitted and those held out.

    Args:
        rows: row numbers to divide.
        labels: labels of the whole table; only `stratified` reads them.
        holdout: share held out; 0 holds nothing out.
        split: `order` fits the first rows, `random` draws, `stratified` draws with each label's share kept.
        seed: decides the draw.

    Returns:
        Row numbers that are fitted, and row numbers that are held out.

    Raises:
        UserError: nothing is left to fit, or labels to stratify by are missing.
    """
    n_fit = len(rows) - round(holdout * len(rows))
    if n_fit == len(rows):
        return rows, rows[:0]
    if n_fit == 0:
        raise UserError(f"data.holdout={holdout} leaves none of the {len(rows)} samples to fit")
    if split == "order":
        return rows[:n_fit], rows[n_fit:]
    if split == "stratified":
        return _stratified_split(rows, labels, n_fit, seed, "data.split=stratified")
    shuffled = np.random.default_rng(seed).permutation(rows)
    return np.sort(shuffled[:n_fit]), np.sort(shuffled[n_fit:])


def _stratified_split(
    rows: NDArray[np.int64], labels: NDArray[Any] | None, size: int, seed: int, option: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw `size` rows with each label's share kept; errors name the option that asked for it."""
    if labels is None:
        raise UserError(f"{option} needs labels, and this data has none; use data.split=random")
    try:
        first, second = train_test_split(rows, train_size=size, stratify=labels[rows].astype(str), random_state=seed)
    except ValueError as error:
        raise UserError(f"{option}: {error}") from error
    return first, second
