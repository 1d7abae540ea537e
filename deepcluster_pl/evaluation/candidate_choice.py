"""Judge partitions of the same samples without labels, by information about neighbors and by consensus; choose one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from deepcluster_pl.evaluation.label_free import Features, Neighborhood, neighborhood, share_of
from deepcluster_pl.functional.consensus_choice import families_of, family_votes, pairwise_rand_indices
from deepcluster_pl.functional.neighbor_information import neighbor_information
from deepcluster_pl.functional.partition import cluster_sizes, is_collapsed

ALIKE = 0.9
"""Adjusted Rand index with the winner above which a simpler partition is used in its place, if it is as good."""
CONSENSUS_WEIGHT = 0.1
"""Of the agreement with the other candidates, beside the share of information; it decides where shares are close."""


@dataclass(frozen=True)
class CandidateCriteria:
    """Criteria of a candidate's partition that read no label.

    Attributes:
        share: information that neighbors' clusters give about a sample's cluster, divided by the entropy of clusters.
        error: standard error of `share`, by a bootstrap of rows.
        information: the same information in nats, not divided.
        agreement: mean adjusted Rand index with the candidates, one vote a family of nearly equal ones.
        consensus: nearness to the co-association matrix of the candidates, one vote a family.
        score: `share` plus a tenth of `agreement`.
        family: partitions with one number are nearly equal.
        collapsed: at least half of the clusters are empty.
        gap: largest share of all, less this one.
        gap_error: standard error of `gap`, by the same bootstrap.
        together: share of neighbors that are in a sample's own cluster.
    """

    share: float
    error: float
    information: float
    agreement: float
    consensus: float
    score: float
    family: int
    collapsed: bool
    gap: float
    gap_error: float
    together: float


@dataclass(frozen=True)
class CandidateRanking:
    """Candidates judged without labels.

    Attributes:
        criteria: of each candidate, in the order given.
        chosen: place of the one to use.
        sureness: share of bootstrap draws of rows in which its family wins; 0 where no partition says anything.
        n: rows that the criteria were computed on.
        n_neighbors: neighbors of each.
    """

    criteria: list[CandidateCriteria]
    chosen: int
    sureness: float
    n: int
    n_neighbors: int


def rank_candidates(
    features: Features, partitions: Sequence[NDArray[np.int64]], n_clusters: Sequence[int], seed: int
) -> CandidateRanking:
    """Judge partitions of the same samples without labels by the neighbors of their features; see `rank_by_neighbors`.

    Args:
        features: prepared input (N, F), or a function of row numbers that returns it.
        partitions: cluster (N,) of every sample in each of P partitions, the simplest first.
        n_clusters: K (P,) of each.
        seed: decides rows and bootstrap.

    Returns:
        Criteria of each partition, the choice, and how sure it is.
    """
    return rank_by_neighbors(neighborhood(features, len(partitions[0]), seed), partitions, n_clusters)


def rank_by_neighbors(
    near: Neighborhood, partitions: Sequence[NDArray[np.int64]], n_clusters: Sequence[int]
) -> CandidateRanking:
    """Judge partitions of the same samples without labels, and choose one.

    The best score wins. A simpler partition that hardly differs from the winner, and whose share is lower by no more
    than the winner's error, is used in its place. Collapsed partitions are chosen only where all are.

    Args:
        near: neighbors of the samples, which several rankings may share.
        partitions: cluster (N,) of every sample in each of P partitions, the simplest first.
        n_clusters: K (P,) of each.

    Returns:
        Criteria of each partition, the choice, and how sure it is.
    """
    own = [clusters[near.rows] for clusters in partitions]
    # Agreement with the others, one vote a family
    rand, adjusted = pairwise_rand_indices(own)
    votes, families = family_votes(adjusted), families_of(adjusted)
    agreement, consensus = adjusted @ votes, rand @ votes
    # Information about neighbors, of all rows and of each bootstrap draw
    shares = np.array([share_of(near, clusters) for clusters in partitions])
    share, draws = shares[:, 0], shares[:, 1:]
    information = [neighbor_information(clusters, near.neighbors, near.weights) for clusters in own]
    collapsed = np.array([_is_collapsed(*pair) for pair in zip(partitions, n_clusters, strict=True)])
    # The best score, and the simplest of those that are as good as it
    extra = CONSENSUS_WEIGHT * agreement - 10.0 * collapsed
    score = share + extra
    best = int(score.argmax())
    errors = draws.std(axis=1, ddof=1)
    as_good = is_as_good(adjusted[best], share[best] - share, errors[best]) & (collapsed == collapsed[best])
    as_good[best] = True
    chosen = int(np.flatnonzero(as_good)[0])
    clearest = int(share.argmax())
    winners = families[(draws + extra[:, None]).argmax(axis=0)]
    criteria = [
        CandidateCriteria(
            share=float(share[i]), error=float(errors[i]), information=float(information[i]),
            agreement=float(agreement[i]), consensus=float(consensus[i]), score=float(score[i]),
            family=int(families[i]), collapsed=bool(collapsed[i]),
            gap=float(share[clearest] - share[i]), gap_error=float((draws[clearest] - draws[i]).std(ddof=1)),
            together=_together(near, own[i]),
        )
        for i in range(len(own))
    ]  # fmt: skip
    sureness = float((winners == families[best]).mean()) if share.max() > 0 else 0.0
    return CandidateRanking(criteria, chosen, sureness, len(near.rows), near.neighbors.shape[1])


def is_as_good(alike: Any, ahead: Any, error: Any) -> Any:
    """Return whether a partition is as good as one of a larger share: nearly the same, and within that one's error.

    Choice and verdict both ask this, so that neither prefers what the other does not. Takes numbers or arrays.

    Args:
        alike: adjusted Rand index of the two.
        ahead: share of the better one, less that of the other.
        error: standard error of the larger share.

    >>> is_as_good(0.95, 0.007, 0.02), is_as_good(0.95, 0.03, 0.02), is_as_good(0.6, 0.007, 0.02)
    (True, False, False)
    """
    return (alike > ALIKE) & (ahead <= error)


def _together(near: Neighborhood, clusters: NDArray[np.int64]) -> float:
    """Return the share of neighbors in a sample's own cluster; samples in cluster -1 have none."""
    if not near.neighbors.size:
        return 0.0
    same = (clusters[:, None] == clusters[near.neighbors]) & (clusters[:, None] >= 0)
    return float(np.average(same.mean(axis=1), weights=near.weights))


def _is_collapsed(clusters: NDArray[np.int64], n_clusters: int) -> bool:
    """Return whether at least half of the clusters are empty; samples in cluster -1 are in none."""
    return is_collapsed(cluster_sizes(torch.as_tensor(clusters[clusters >= 0]), n_clusters))
