"""Neighborhoods that partitions are judged by without labels, and the comparison of two partitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from deepcluster_pl.functional import nearest_neighbors
from deepcluster_pl.functional.neighbor_information import neighbor_information
from deepcluster_pl.functional.neighbor_share import neighbor_information_share
from deepcluster_pl.utils.random import sample_rows

Features = NDArray[np.float32] | Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""Features (N, F) of all samples, or a function that returns those of some rows."""
_ROWS, _COMPONENTS, _NEIGHBORS, _DRAWS = 8000, 50, 10, 24


@dataclass(frozen=True)
class Neighborhood:
    """The nearest neighbors of a sample of rows, which criteria of partitions are computed on.

    Attributes:
        rows: row numbers (M,) of the samples; of samples that are equal, one.
        neighbors: places (M, n) of each one's nearest others among `rows`; n is 0 where there is no other.
        weights: number (M,) of equal samples that each one stands for.
        draws: the same weights (B, M) in bootstrap draws of the samples.
    """

    rows: NDArray[np.int64]
    neighbors: NDArray[np.int64]
    weights: NDArray[np.float64]
    draws: NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """Two partitions of the same samples, judged without labels.

    Attributes:
        first: information about neighbors of the first partition, in nats, or as a share of the clusters' entropy.
        second: that of the second one.
        error: standard error of their difference, by a bootstrap of rows that both share.
    """

    first: float
    second: float
    error: float

    @property
    def second_is_worse(self) -> bool:
        """Return True if the second partition is worse by more than the error of the difference."""
        return self.first - self.second > self.error


def neighborhood(features: Features, n_samples: int, seed: int) -> Neighborhood:
    """Find the 10 nearest neighbors of at most 8,000 samples, in at most 50 principal components.

    Args:
        features: prepared input of the samples, in which Euclidean distances make sense.
        n_samples: N.
        seed: decides the rows, the components and the bootstrap draws.

    Returns:
        The neighbors; samples that are equal count as one with a larger weight, so that twins are no neighbors.
    """
    rows = sample_rows(n_samples, _ROWS, seed)
    x = np.asarray(features(rows) if callable(features) else features[rows], dtype=np.float32).reshape(len(rows), -1)
    # Equal samples become one
    _, first, counts = np.unique(x, axis=0, return_index=True, return_counts=True)
    order = np.argsort(first)
    first, counts = first[order], counts[order]
    x = x[first]
    if min(x.shape) > _COMPONENTS:
        x = PCA(_COMPONENTS, svd_solver="randomized", random_state=seed).fit_transform(x)
    n_neighbors = min(_NEIGHBORS, len(x) - 1)
    neighbors = np.zeros((len(x), 0), dtype=np.int64)
    if n_neighbors > 0:
        neighbors = nearest_neighbors(torch.as_tensor(np.ascontiguousarray(x)), n_neighbors).numpy().astype(np.int64)
    draws = np.random.default_rng([seed, 1]).multinomial(len(rows), counts / len(rows), size=_DRAWS)
    return Neighborhood(rows[first], neighbors, counts.astype(np.float64), draws.astype(np.float64))


def compare_partitions(
    features: Features, first: NDArray[np.int64], second: NDArray[np.int64], seed: int, by_share: bool = False
) -> Comparison:
    """Judge two partitions of the same samples without labels, by the information about neighbors.

    It is not divided by the entropy of the clusters, as it is where unlike methods are compared: a fit that merges two
    groups of its start has a cleaner border, and so a larger share, but it says less. With `by_share` it is divided:
    undivided, halves of a large group say more than a large and a small group do.

    Args:
        features: prepared input (N, F) of the samples, or a function of row numbers that returns it.
        first: cluster (N,) of every sample in the first partition.
        second: cluster (N,) of every sample in the second one.
        seed: decides rows and bootstrap.
        by_share: whether the second one was made with sizes unlike those of the first on purpose.

    Returns:
        Both values, and the standard error of their difference.
    """
    near = neighborhood(features, len(first), seed)
    criterion = neighbor_information_share if by_share else neighbor_information
    one, two = (_of_all_and_draws(criterion, near, clusters) for clusters in (first, second))
    return Comparison(float(one[0]), float(two[0]), float((one[1:] - two[1:]).std(ddof=1)))


def share_of(near: Neighborhood, clusters: NDArray[np.int64]) -> NDArray[np.float64]:
    """Compute the share of information about neighbors, of all rows and of each bootstrap draw of them.

    Args:
        near: the neighborhood.
        clusters: cluster (N,) of every sample; -1 belongs to none.

    Returns:
        Shares (1 + B,), that of all rows first.
    """
    return _of_all_and_draws(neighbor_information_share, near, clusters)


def _of_all_and_draws(
    criterion: Callable[..., float], near: Neighborhood, clusters: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return a criterion (1 + B,) of all rows, and of each bootstrap draw."""
    own = clusters[near.rows]
    return np.array([criterion(own, near.neighbors, weights) for weights in (near.weights, *near.draws)])
