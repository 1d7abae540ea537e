"""Notice without labels that a large group was cut in two, as methods do that aim at even sizes, such as DEC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.evaluation.predictions import Partition
from deepcluster_pl.functional.valley import valley_floor
from deepcluster_pl.utils.random import sample_rows

_ROWS, _MOST_FEATURES, _COMPONENTS = 5000, 4096, 30
_NO_VALLEY = 0.95
_LARGE, _SIMILAR = 3.0, 0.25
_FEWEST = 20
_VERY_UNEVEN, _MAJORITY = 20, 0.5


class Halved(NamedTuple):
    """Two clusters that seem to be halves of one group.

    Attributes:
        clusters: their numbers.
        sizes: of the two.
        whole: recipe of a simple method that does not cut that group; None where none was computed.
    """

    clusters: tuple[int, int]
    sizes: tuple[int, int]
    whole: str | None


class DensityOfInput:
    """Prepared samples of the fitted part, in which partitions are searched for halves of a group.

    Args:
        data: at most 5,000 rows of it are looked at, on 30 principal components.
        seed: decides the rows.
    """

    def __init__(self, data: ClusteringData, seed: int) -> None:
        self._data, self._seed = data, seed
        self._rows = sample_rows(len(data.part("fit")), _ROWS, seed)
        self._points: NDArray[np.float64] | None = None

    def halves(self, clusters: NDArray[np.int64]) -> tuple[int, int] | None:
        """Return the two largest clusters where they seem to be halves of one large group, else None.

        They are of similar size, hold together at least three times as many samples as any other cluster, and the
        density between them has no valley. No other pair can be that large.

        Args:
            clusters: cluster (N,) of every fitted sample.
        """
        sizes = np.bincount(clusters[clusters >= 0])
        order = np.argsort(-sizes, kind="stable")
        if len(order) < 3 or sizes[order[2]] == 0 or self._data.n_features > _MOST_FEATURES:
            return None
        first, second, third = (int(k) for k in order[:3])
        if sizes[first] + sizes[second] < _LARGE * sizes[third] or sizes[second] < _SIMILAR * sizes[first]:
            return None
        of_rows = clusters[self._rows]
        members = [self._places()[of_rows == k] for k in (first, second)]
        if min(map(len, members)) < _FEWEST or valley_floor(*members) < _NO_VALLEY:
            return None
        return first, second

    def _places(self) -> NDArray[np.float64]:
        """Return the principal components of the rows, computed once."""
        if self._points is None:
            x = self._data.prepared("fit", self._rows).astype(np.float64)
            components = PCA(min(_COMPONENTS, *x.shape), random_state=self._seed)
            self._points = components.fit_transform(x)
        return self._points


def find_halved(
    data: ClusteringData, partition: Partition, simple: Mapping[str, Partition | None], seed: int
) -> Halved | None:
    """Return two clusters that seem to be halves of one large group, or None.

    Args:
        data: set up.
        partition: the result.
        simple: partitions of simple methods by the name of their recipe, the preferred first.
        seed: decides the rows that are looked at.
    """
    density = DensityOfInput(data, seed)
    found = density.halves(partition["fit"])
    if found is None:
        return None
    sizes = np.bincount(partition["fit"][partition["fit"] >= 0])
    whole = [name for name, other in simple.items() if other and density.halves(other["fit"]) is None]
    return Halved(found, (int(sizes[found[0]]), int(sizes[found[1]])), whole[0] if whole else None)


def describe_halved(halved: Halved, command: str | None) -> str:
    """Return the warning about halves of a group.

    Args:
        halved: the two clusters.
        command: one that may keep the group whole; None where none is known.

    >>> describe_halved(Halved((0, 2), (452, 448), "graph"), "deepcluster method=graph")
    'clusters 0 and 2 (452 and 448 samples) seem to be halves of one large group; type deepcluster method=graph'
    """
    (first, second), (one, other) = halved.clusters, halved.sizes
    text = f"clusters {first} and {second} ({one:,} and {other:,} samples) seem to be halves of one large group"
    return f"{text}; type {command}" if command else text


def describe_sizes(sizes: list[int]) -> str:
    """Return a warning about sizes of which one is most of the samples and another hardly any; else empty text.

    >>> describe_sizes([900, 80, 20])
    'sizes are very uneven, from 20 to 900 of 1,000 samples: look at the small groups, which may be outliers'
    >>> describe_sizes([400, 350, 250])
    ''
    """
    known = [size for size in sizes if size]
    least, most, n = min(known, default=0), max(known, default=0), sum(known)
    if most < _VERY_UNEVEN * least or most <= _MAJORITY * n or len(known) < 2:
        return ""
    text = f"sizes are very uneven, from {least:,} to {most:,} of {n:,} samples"
    return f"{text}: look at the small groups, which may be outliers"
