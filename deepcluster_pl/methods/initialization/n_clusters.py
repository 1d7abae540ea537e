"""Find the number of clusters by the agreement of partitions that two halves of the samples lead to."""

from __future__ import annotations

import math
import statistics
import warnings
from typing import Annotated, Literal

import numpy as np
import torch
from annotated_types import Ge
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.cluster import contingency_matrix
from torch import Tensor

from deepcluster_pl.errors import UserError
from deepcluster_pl.functional.cluster_number_choice import FOUND_AGAIN, clearest_number, levels
from deepcluster_pl.functional.communities import (
    Labels,
    community_partitions,
    modularities,
    neighbor_graph,
)
from deepcluster_pl.functional.neighbors import nearest_rows
from deepcluster_pl.methods.initialization.cluster_number import ROWS_A_CLUSTER, ClusterNumberEstimate, too_few_samples
from deepcluster_pl.methods.initialization.initial_clustering import check_embeddings
from deepcluster_pl.utils.determinism import deterministic_openmp
from deepcluster_pl.utils.random import sample_rows
from deepcluster_pl.utils.ranges import Count, NonNegativeInt, Share

Auto = Literal["auto"]
AUTO: Auto = "auto"
"""Value of `n_clusters` that asks for an estimate."""
_MOST_COMPONENTS = 50
_MOST_NEIGHBORS = 15
_REFERENCE_ROWS = 4000
_VOTERS = 5


class SplitHalfStability:
    """Search for the number of clusters whose groups are found again in another half of the samples.

    The samples are halved. The graph of nearest neighbors of each half is partitioned into every number of communities,
    and each sample of the other half joins the community of its neighbors. The adjusted Rand index measures how far the
    two partitions agree. Two halves agree a little even where there are no groups, so the same is done with points of
    one Gaussian of the same covariance. The clarity of a number is the agreement beyond that, as a share of the largest
    that is possible. Each group must be found again as well: the Jaccard index of the worst one is looked at.

    The answer is the largest number that is nearly as clear as the clearest, and whose groups are all found again. So a
    small number does not win merely because few groups agree easily. Where there are clearer groups above it, or
    finer ones below, they are named as levels.

    Halves are those of Clest (Dudoit, Fridlyand: A prediction-based resampling method for estimating the number of
    clusters in a dataset, Genome Biology 3, 2002). The overlap of each group is that of Hennig (Cluster-wise assessment
    of cluster stability, Computational Statistics & Data Analysis 52, 2007). Communities replace k-means, because
    groups of real data are seldom round: on pictures of digits, k-means agrees on four groups and communities on ten.

    Args:
        smallest: smallest number that is tried.
        largest: largest number that is tried; less where there are fewer than ten samples for each cluster.
        n_halvings: times that the samples are halved.
        n_references: draws of samples without groups.
        n_init: trees of communities of each half; of each number the best partition is taken.
        sample_size: number of samples that are clustered, a draw where there are more.
        random_state: decides the sample, the halves, the reference and the trees.
        found_again: least overlap of a group with the one of the other half. 0 takes the clearest number, for samples
            with groups so small that half of them is not enough to be found.
        modular: share of the largest modularity that a number's communities of all samples must have; 0 = none. It
            keeps a few groups that agree easily from winning where there are many small ones.
    """

    def __init__(
        self,
        smallest: Annotated[int, Ge(2)],
        largest: Annotated[int, Ge(2)],
        n_halvings: Annotated[int, Ge(2)],
        n_references: Annotated[int, Ge(2)],
        n_init: Count,
        sample_size: Annotated[int, Ge(20)],
        random_state: NonNegativeInt,
        found_again: Share = FOUND_AGAIN,
        modular: Share = 0.0,
    ) -> None:
        self.modular = modular
        self.found_again = found_again
        self.smallest = smallest
        self.largest = largest
        self.n_halvings = n_halvings
        self.n_references = n_references
        self.n_init = n_init
        self.sample_size = sample_size
        self.random_state = random_state

    @property
    def least(self) -> int:
        """Return the fewest samples from which a number of clusters is estimated."""
        return ROWS_A_CLUSTER * self.smallest

    def check(self, n: int) -> None:
        """Raise `UserError` if no number of clusters can be tried with n samples."""
        if self.largest < self.smallest:
            raise UserError(f"found choose.smallest={self.smallest} above choose.largest={self.largest}")
        if min(n, self.sample_size) < self.least:
            raise UserError(f"{too_few_samples(min(n, self.sample_size), self.least)}; type n_clusters=<number>")

    def find(self, z: Tensor, n_components: int | None = None) -> ClusterNumberEstimate:
        """Find the number of clusters in embeddings.

        Args:
            z: embeddings (N, D); their leading principal components are used.
            n_components: number of those; None = 50.

        Returns:
            The number, and the evidence for every number that was tried.

        Raises:
            UserError: there are too few samples, or values that cannot be clustered.
        """
        self.check(len(z))
        check_embeddings(z)
        # The axes of a Gaussian of the same covariance are the principal components
        points = z[sample_rows(len(z), self.sample_size, self.random_state)].cpu().double().numpy()
        components = PCA(min(n_components or _MOST_COMPONENTS, *points.shape), random_state=self.random_state)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # embeddings that are all alike have no variance
            points = components.fit_transform(points)
        spread = points.std(axis=0)
        candidates = list(range(self.smallest, min(self.largest, len(points) // ROWS_A_CLUSTER) + 1))
        draw = np.random.default_rng([self.random_state, 7])
        n_drawn = min(len(points), _REFERENCE_ROWS)
        with deterministic_openmp(), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct points than clusters
            # Agreement of halves of the samples, then of halves of draws without groups
            here = np.stack([self._compared(points, candidates, draw) for _ in range(self.n_halvings)])
            there = np.stack(
                [
                    self._compared(draw.standard_normal((n_drawn, len(spread))) * spread, candidates, draw)
                    for _ in range(self.n_references)
                ]
            )
        agreement = here[:, 0].mean(axis=0).tolist()
        # On two groups of a long cloud few draws agree by chance or not at all, so the mean over numbers is the least
        reference = np.maximum(there[:, 0].mean(axis=0), there[:, 0].mean()).tolist()
        worst = here[:, 1].mean(axis=0).tolist()
        error = [_error(a.tolist(), b.tolist()) for a, b in zip(here[:, 0].T, there[:, 0].T, strict=True)]
        if self.found_again == 0:
            worst = []
        # Of the numbers that part the whole graph well, the one that halves agree on
        at = [candidates.index(k) for k in self._modular(points.astype(np.float32), candidates)]
        numbers, here_at, there_at = ([values[i] for i in at] for values in (candidates, agreement, reference))
        n_clusters = clearest_number(numbers, here_at, there_at, worst and [worst[i] for i in at], self.found_again)
        coarse, fine = levels(n_clusters, candidates, agreement, reference, worst)
        return ClusterNumberEstimate(
            n_clusters, candidates, agreement, reference, error, len(points), worst, coarse, fine
        )

    def _modular(self, points: NDArray[np.float32], candidates: list[int]) -> list[int]:
        """Return the numbers whose communities of all points (N, D) nearly reach the largest modularity."""
        if self.modular == 0:
            return candidates
        graph = neighbor_graph(points, _n_neighbors(len(points)))
        draw = np.random.default_rng([self.random_state, 8])
        values = modularities(
            graph, community_partitions(points, candidates[-1], _n_neighbors(len(points)), self.n_init, draw, graph)
        )
        best = max(values.get(k, 0.0) for k in candidates)
        return [k for k in candidates if values.get(k, 0.0) >= self.modular * best]

    def _compared(
        self, points: NDArray[np.float64], candidates: list[int], draw: np.random.Generator
    ) -> NDArray[np.float64]:
        """Halve points (N, D), partition each half, and return the agreement and the worst group's overlap (2, C)."""
        order = draw.permutation(len(points))
        halves = np.array_split(order, 2)
        ours, theirs = (self._partitions(points.astype(np.float32), half, candidates[-1], draw) for half in halves)
        pairs = [(_up_to(ours, k), _up_to(theirs, k)) for k in candidates]
        return np.array(
            [
                [adjusted_rand_score(first, second) for first, second in pairs],
                [_worst_overlap(first, second, k) for (first, second), k in zip(pairs, candidates, strict=True)],
            ]
        )

    def _partitions(
        self, points: NDArray[np.float32], half: NDArray[np.int64], largest: int, draw: np.random.Generator
    ) -> dict[int, Labels]:
        """Return partitions (N,) of all points by the communities of one half, by their number."""
        known = np.ascontiguousarray(points[half])
        partitions = community_partitions(known, largest, _n_neighbors(len(half)), self.n_init, draw)
        # The others join the community that most of their neighbors are in
        rest = np.setdiff1d(np.arange(len(points)), half)
        near = nearest_rows(torch.from_numpy(points[rest]), torch.from_numpy(known), _VOTERS).numpy()
        carried = {1: np.zeros(len(points), dtype=np.int64)}
        for k, labels in partitions.items():
            votes = np.zeros((len(rest), k), dtype=np.int16)
            for column in near.T:
                votes[np.arange(len(rest)), labels[column]] += 1
            carried[k] = np.empty(len(points), dtype=np.int64)
            carried[k][half], carried[k][rest] = labels, votes.argmax(axis=1)
        return carried


def _n_neighbors(n: int) -> int:
    """Return the neighbors of each of n points in a graph: more where there are more points."""
    return max(3, min(_MOST_NEIGHBORS, round(1.2 * math.log2(n))))


def _up_to(partitions: dict[int, Labels], k: int) -> Labels:
    """Return the partition into k communities, or into the next smaller number where the tree passed over k."""
    return partitions[max(known for known in partitions if known <= k)]


def _worst_overlap(first: Labels, second: Labels, k: int) -> float:
    """Return the smallest Jaccard index of paired groups; 0 where one of the partitions has fewer than k."""
    both = contingency_matrix(first, second).astype(float)
    if both.shape != (k, k):
        return 0.0
    overlap = both / (both.sum(axis=1, keepdims=True) + both.sum(axis=0) - both)
    return float(overlap[linear_sum_assignment(-overlap)].min())


def _error(here: list[float], there: list[float]) -> float:
    """Return the standard error of the difference between two means."""
    return float(np.sqrt(statistics.variance(here) / len(here) + statistics.variance(there) / len(there)))
