"""Criteria that read no label: which of several partitions of the same samples to trust, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from deepcluster_pl.functional import nearest_neighbors
from deepcluster_pl.functional.consensus_choice import families_of, family_votes, pairwise_rand_indices
from deepcluster_pl.functional.neighbor_information import neighbor_information
from deepcluster_pl.functional.partition import cluster_sizes, is_collapsed
from deepcluster_pl.utils.random import sample_rows

Features = NDArray[np.float32] | Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""Features (N, F) of all samples, or a function that returns those of some rows."""
_ROWS, _COMPONENTS, _NEIGHBORS, _DRAWS = 8000, 50, 10, 24
_CONSENSUS_WEIGHT = 0.25


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
class Criteria:
    """Criteria of a partition that need no labels, beside the others of a pool.

    Attributes:
        information: mutual information of neighboring samples' clusters, in nats; see `neighbor_information`.
        error: standard error of `information`, by a bootstrap of rows.
        consensus: nearness to the pool's co-association matrix, 0 to 1; see `consensus_agreement`.
        agreement: mean adjusted Rand index with the pool, one vote a family.
        score: information as a share of the pool's largest, plus a quarter of `agreement`; the largest is chosen.
        family: partitions of the pool with one number are nearly equal.
        n_clusters: number of clusters that hold samples.
        collapsed: at least half of the clusters are empty.
        gap: largest information of the pool, less this one.
        gap_error: standard error of `gap`, by the same bootstrap.
        together: share of neighbors that are in a sample's own cluster.
    """

    information: float
    error: float
    consensus: float
    agreement: float
    score: float
    family: int
    n_clusters: int
    collapsed: bool
    gap: float
    gap_error: float
    together: float


@dataclass(frozen=True)
class Ranking:
    """A pool of partitions, judged without labels.

    Attributes:
        criteria: of each partition, in the order given.
        chosen: place of the partition with the largest score.
        sureness: share of bootstrap draws of rows in which its family wins; 0 where no partition says anything.
        n: rows that the criteria were computed on.
        n_neighbors: neighbors of each.
    """

    criteria: list[Criteria]
    chosen: int
    sureness: float
    n: int
    n_neighbors: int


@dataclass(frozen=True)
class Comparison:
    """Two partitions of the same samples, judged without labels.

    Attributes:
        first: information of the first partition, in nats.
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


def information_of(near: Neighborhood, clusters: NDArray[np.int64]) -> tuple[float, NDArray[np.float64]]:
    """Compute the information of a partition on a neighborhood, and in each bootstrap draw of its rows.

    Args:
        near: the neighborhood.
        clusters: cluster (N,) of every sample; -1 belongs to none.

    Returns:
        The information in nats, and that of each draw (B,).
    """
    own = clusters[near.rows]
    value = neighbor_information(own, near.neighbors, near.weights)
    return value, np.array([neighbor_information(own, near.neighbors, weights) for weights in near.draws])


def rank_partitions(
    features: Features, partitions: Sequence[NDArray[np.int64]], seed: int, n_clusters: Sequence[int] | None = None
) -> Ranking:
    """Judge a pool of partitions of the same samples without labels, and choose one.

    Partitions of about the same number of clusters can be compared: the information grows with that number, as the
    border between two halves of one group is short.

    Args:
        features: prepared input (N, F) of the samples, or a function of row numbers that returns it.
        partitions: cluster (N,) of every sample in each of P partitions; -1 belongs to none.
        seed: decides rows and bootstrap.
        n_clusters: K (P,) of each partition, so that empty clusters count; None = the largest number plus 1.

    Returns:
        Criteria of each partition, the choice, and how sure it is. Collapsed partitions are chosen only where all are.
    """
    partitions = [np.asarray(clusters) for clusters in partitions]
    near = neighborhood(features, len(partitions[0]), seed)
    own = [clusters[near.rows] for clusters in partitions]
    # Consensus with the others, one vote a family
    rand, adjusted = pairwise_rand_indices(own)
    votes, families = family_votes(adjusted), families_of(adjusted)
    agreement = adjusted @ votes
    # Information about neighbors, and its bootstrap draws
    found = [information_of(near, clusters) for clusters in partitions]
    information, draws = np.array([value for value, _ in found]), np.array([values for _, values in found])
    sizes = [_sizes(clusters, n_clusters[i] if n_clusters else None) for i, clusters in enumerate(partitions)]
    collapsed = np.array([is_collapsed(size) or len(size) == 0 for size in sizes])
    # Scores, of all rows and of each draw
    scores = _scores(information[:, None], agreement, collapsed)[:, 0]
    chosen, best = int(scores.argmax()), int(information.argmax())
    winners = families[_scores(draws, agreement, collapsed).argmax(axis=0)]
    sureness = float((winners == families[chosen]).mean()) if information.max() > 0 else 0.0
    criteria = [
        Criteria(
            information=float(information[i]), error=float(draws[i].std(ddof=1)), consensus=float(rand[i] @ votes),
            agreement=float(agreement[i]), score=float(scores[i]), family=int(families[i]),
            n_clusters=int((sizes[i] > 0).sum()), collapsed=bool(collapsed[i]),
            gap=float(information[best] - information[i]), gap_error=float((draws[best] - draws[i]).std(ddof=1)),
            together=_together(near, own[i]),
        )
        for i in range(len(partitions))
    ]  # fmt: skip
    return Ranking(criteria, chosen, sureness, len(near.rows), near.neighbors.shape[1])


def compare_partitions(
    features: Features, first: NDArray[np.int64], second: NDArray[np.int64], seed: int
) -> Comparison:
    """Judge two partitions of the same samples without labels, by the information about neighbors.

    Args:
        features: prepared input (N, F) of the samples, or a function of row numbers that returns it.
        first: cluster (N,) of every sample in the first partition.
        second: cluster (N,) of every sample in the second one.
        seed: decides rows and bootstrap.

    Returns:
        Both values, and the standard error of their difference.
    """
    near = neighborhood(features, len(first), seed)
    (one, one_draws), (two, two_draws) = information_of(near, first), information_of(near, second)
    return Comparison(one, two, float((one_draws - two_draws).std(ddof=1)))


def _together(near: Neighborhood, clusters: NDArray[np.int64]) -> float:
    """Return the share of neighbors in a sample's own cluster; samples in cluster -1 have none."""
    if not near.neighbors.size:
        return 0.0
    same = (clusters[:, None] == clusters[near.neighbors]) & (clusters[:, None] >= 0)
    return float(np.average(same.mean(axis=1), weights=near.weights))


def _scores(
    information: NDArray[np.float64], agreement: NDArray[np.float64], collapsed: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Combine the criteria.

    Args:
        information: of each partition (P, B), in B draws.
        agreement: of each partition (P,).
        collapsed: partitions (P,) that lose against all others.

    Returns:
        Scores (P, B); larger is better.
    """
    largest = np.maximum(information.max(axis=0), np.finfo(np.float64).tiny)
    return np.asarray(information / largest + _CONSENSUS_WEIGHT * agreement[:, None] - 10.0 * collapsed[:, None])


def _sizes(clusters: NDArray[np.int64], n_clusters: int | None) -> torch.Tensor:
    """Return the sizes (K,) of clusters from 0; samples in cluster -1 are in none."""
    inside = torch.as_tensor(clusters[clusters >= 0])
    return cluster_sizes(inside, n_clusters or (int(inside.max()) + 1 if len(inside) else 0))
