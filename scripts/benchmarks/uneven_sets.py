"""Make collections of genuine samples whose groups are uneven, or even for comparison, of a known number of groups.

Labels thin the samples, and then only score. A seed decides which group is large and which samples stay.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

from scripts.benchmarks.docstrings import docstrings


@dataclass(frozen=True)
class Collection:
    """One collection of samples.

    Attributes:
        source: digits, wine, breast_cancer, mnist, fashion or docstrings.
        sizes: samples of each group, the largest first; empty for all samples as they are.
        development: whether a limit of the project was set on such samples.
    """

    source: str
    sizes: tuple[int, ...]
    development: bool

    @property
    def is_image(self) -> bool:
        """Return whether samples are images."""
        return self.source in ("digits", "mnist", "fashion")


_NINE_TO_ONE = (180, 141, 110, 86, 68, 53, 41, 32, 25, 20)
_SEVEN_TENTHS = (178, 124, 87, 61, 42, 29, 20, 14, 10, 7)
COLLECTIONS = {
    # Very uneven
    "mnist": Collection("mnist", (900, 80, 20), True),
    "mnist_5": Collection("mnist", (600, 200, 100, 60, 40), True),
    "fashion": Collection("fashion", (900, 80, 20), False),
    "breast_cancer": Collection("breast_cancer", (350, 35), False),
    "wine": Collection("wine", (70, 20, 10), False),
    "digits": Collection("digits", _SEVEN_TENTHS, True),
    # Moderately uneven
    "digits_9_1": Collection("digits", _NINE_TO_ONE, True),
    "mnist_5_1": Collection("mnist", (600, 300, 120), True),
    "fashion_5_1": Collection("fashion", (600, 300, 120), False),
    "docstrings": Collection("docstrings", (), True),
    # Even
    "mnist_even": Collection("mnist", (333,) * 3, True),
    "fashion_even": Collection("fashion", (333,) * 3, False),
    "breast_cancer_even": Collection("breast_cancer", (200,) * 2, False),
}


def write_collection(name: str, root: Path, seed: int, folder: Path) -> tuple[list[str], list[int]]:
    """Write the samples of a collection into a file.

    Args:
        name: key of `COLLECTIONS`.
        root: folder of MNIST/ and FashionMNIST/.
        seed: decides which group is large and which samples stay.
        folder: where the file is written.

    Returns:
        Settings of a run on these samples, and the sizes of their groups.
    """
    collection = COLLECTIONS[name]
    if collection.source == "docstrings":
        file, texts = folder / "docstrings.csv", docstrings("scipy")
        with file.open("w", encoding="utf-8", newline="") as table:
            csv.writer(table).writerows([("text", "package"), *texts])
        words = ["data=texts", "data.column=text", "data.label_column=package"]
        sizes = np.unique([package for _, package in texts], return_counts=True)[1]
    else:
        file = folder / f"{name}-{seed}.npz"
        x, y = thinned(*_samples(collection.source, root), collection.sizes, seed)
        np.savez(file, x=x, y=y)
        words = ["data=array", f"data.scale={'none' if collection.is_image else 'standard'}"]
        sizes = np.unique(y, return_counts=True)[1]
    return [*words, f"data.path={file}", f"n_clusters={len(sizes)}"], sorted(sizes.tolist(), reverse=True)


def thinned(
    x: NDArray[np.generic], labels: NDArray[np.int64], sizes: tuple[int, ...], seed: int
) -> tuple[NDArray[np.generic], NDArray[np.int64]]:
    """Return samples of groups of given sizes, and their labels.

    A group that is too small for its place changes places with the next that is large enough.

    Args:
        x: samples (N, ...).
        labels: group (N,) of each.
        sizes: samples wanted of each group, the largest first.
        seed: decides which group is large and which samples stay.

    >>> x, y = thinned(np.arange(9), np.array([0] * 3 + [1] * 6), (5, 2), 0)
    >>> np.bincount(y).tolist()
    [2, 5]
    """
    random = np.random.default_rng(seed)
    left, rows = random.permutation(np.unique(labels)).tolist(), []
    for n in sizes:
        group = next(each for each in left if np.sum(labels == each) >= n)
        left.remove(group)
        rows.append(random.permutation(np.flatnonzero(labels == group))[:n])
    kept = random.permutation(np.concatenate(rows))
    return x[kept], labels[kept].astype(np.int64)


def _samples(source: str, root: Path) -> tuple[NDArray[np.generic], NDArray[np.int64]]:
    """Return all samples of a source, and their labels."""
    if source == "digits":
        bunch = load_digits()
        return (bunch.images * 15).astype(np.uint8), bunch.target
    if source in ("wine", "breast_cancer"):
        return (load_wine if source == "wine" else load_breast_cancer)(return_X_y=True)  # type: ignore[no-any-return]
    from torchvision.datasets import MNIST, FashionMNIST

    images = (MNIST if source == "mnist" else FashionMNIST)(str(root), train=True)
    return images.data.numpy(), images.targets.numpy()
