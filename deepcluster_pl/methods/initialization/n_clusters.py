"""Find the number of clusters by the agreement of partitions that two halves of the samples lead to."""

from __future__ import annotations

import json
import math
import statistics
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from annotated_types import Ge
from numpy.typing import NDArray
from pydantic import TypeAdapter
from scipy.optimize import linear_sum_assignment
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.cluster import contingency_matrix
from torch import Tensor

from deepcluster_pl.errors import UserError, first_line
from deepcluster_pl.functional.neighbors import nearest_rows
from deepcluster_pl.methods.initialization.communities import Labels, community_partitions
from deepcluster_pl.methods.initialization.initial_clustering import check_embeddings
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.determinism import deterministic_openmp
from deepcluster_pl.utils.json_files import read_json
from deepcluster_pl.utils.random import sample_rows
from deepcluster_pl.utils.ranges import Count, NonNegativeInt, Share

Auto = Literal["auto"]
AUTO: Auto = "auto"
"""Value of `n_clusters` that asks for an estimate."""
_MOST_COMPONENTS = 50
_MOST_NEIGHBORS = 15
_REFERENCE_ROWS = 4000
_ROWS_A_CLUSTER = 10
_VOTERS = 5
_FAINT, _NEARLY_BEST, _FOUND_AGAIN = 0.3, 0.13, 0.4
_LEVEL, _CLEARER, _STABLE, _BELOW_PATTERN, _BELOW_BEST = 0.6, 0.03, 0.75, 0.17, 0.2


@dataclass(frozen=True)
class ClusterNumberEstimate:
    """A number of clusters, and the evidence for it.

    Attributes:
        n_clusters: the number K that was chosen.
        candidates: the numbers (C,) that were tried.
        agreement: mean adjusted Rand index (C,) of the partitions that two halves of the samples lead to.
        reference: the same for samples without groups, and at least the mean of it over all numbers.
        error: standard error (C,) of their difference.
        n: number of samples that were clustered.
        worst: for each number (C,), the overlap (Jaccard index) of the group that halves agree on least; empty in
            estimates of earlier versions.
        coarse: a smaller number that halves agree on more clearly; None where there is none.
        fine: a larger number whose groups are all found again, though less clearly; None where there is none.
    """

    n_clusters: int
    candidates: list[int]
    agreement: list[float]
    reference: list[float]
    error: list[float]
    n: int
    worst: list[float] = field(default_factory=list)
    coarse: int | None = None
    fine: int | None = None

    @property
    def excess(self) -> list[float]:
        """Return the difference (C,) between the agreement of halves and that without groups."""
        return [here - there for here, there in zip(self.agreement, self.reference, strict=True)]

    @property
    def clarity(self) -> list[float]:
        """Return the excess (C,) as a share of the largest that is possible; 1 is full agreement, 0 no groups."""
        return clarity(self.agreement, self.reference)

    def evidence(self, n_clusters: int) -> tuple[float, float]:
        """Return the agreement on a number of clusters, and that without groups."""
        at = self.candidates.index(n_clusters)
        return self.agreement[at], self.reference[at]

    @property
    def second(self) -> int | None:
        """Return the number with the next largest clarity; None where only one was tried."""
        others = [(value, k) for k, value in zip(self.candidates, self.clarity, strict=True) if k != self.n_clusters]
        return max(others)[1] if others else None

    @property
    def is_faint(self) -> bool:
        """Return True if halves agree on no number clearly more than they would without groups.

        For data without groups the clarity is noise; tests check that it stays below .3.
        """
        return _is_faint(self.clarity, self.worst)

    def describe(self) -> str:
        """Describe in a line the number, its evidence, and the levels beside it or else the next best number.

        >>> ClusterNumberEstimate(3, [2, 3, 4], [0.5, 0.9, 0.6], [0.4, 0.3, 0.3], [0.01, 0.01, 0.01], 99).describe()
        'n_clusters=3: halves of the data agree by 0.90, without groups they would by 0.30; next comes 4 (0.60, 0.30)'
        """
        here, there = self.evidence(self.n_clusters)
        text = f"n_clusters={self.n_clusters}: halves of the data agree by {here:.2f}, "
        text += f"without groups they would by {there:.2f}"
        if self.is_faint:
            return f"{text}; that is hardly more, for no number is it: there may be no groups"
        levels = [f"{k} {word}" for k, word in ((self.coarse, "coarse"), (self.fine, "fine")) if k]
        if levels:
            named = " and ".join(f"{level} ones ({self.evidence(int(level.split()[0]))[0]:.2f})" for level in levels)
            text += f"; the groups have levels: there are {named}"
        elif self.second is not None:
            text += "; next comes {} ({:.2f}, {:.2f})".format(self.second, *self.evidence(self.second))
        if self.n_clusters == max(self.candidates):
            why = f"of {self.n} samples" if self.n < _ROWS_A_CLUSTER * (self.n_clusters + 1) else "by choose.largest"
            text += f"; no larger number was looked at, {why}: n_clusters=<number> takes any"
        return text

    def save(self, path: Path) -> None:
        """Write a JSON file with one key for each attribute."""
        with atomic_write(path) as file:
            json.dump(asdict(self), file, indent=2)

    @staticmethod
    def load(path: Path) -> ClusterNumberEstimate:
        """Read an estimate that `save` wrote; `UserError` if the file is damaged."""
        try:
            estimate = _ESTIMATE.validate_python(read_json(path))
            lists = (estimate.agreement, estimate.reference, estimate.error, estimate.worst or estimate.error)
            if any(len(values) != len(estimate.candidates) for values in lists):
                raise ValueError("its lists differ in length")
            if not {estimate.n_clusters, estimate.coarse, estimate.fine} - {None} <= set(estimate.candidates):
                raise ValueError(f"n_clusters={estimate.n_clusters} is none of its candidates")
            return estimate
        except (OSError, ValueError, TypeError) as error:
            raise UserError(f"{path} cannot be read: {first_line(error)}; type n_clusters=<number>") from error


_ESTIMATE = TypeAdapter(ClusterNumberEstimate)


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
        found_again: Share = _FOUND_AGAIN,
    ) -> None:
        self.found_again = found_again
        self.smallest = smallest
        self.largest = largest
        self.n_halvings = n_halvings
        self.n_references = n_references
        self.n_init = n_init
        self.sample_size = sample_size
        self.random_state = random_state

    def check(self, n: int) -> None:
        """Raise `UserError` if no number of clusters can be tried with n samples."""
        if self.largest < self.smallest:
            raise UserError(f"found choose.smallest={self.smallest} above choose.largest={self.largest}")
        if min(n, self.sample_size) < _ROWS_A_CLUSTER * self.smallest:
            raise UserError(
                f"n_clusters=auto needs at least {_ROWS_A_CLUSTER * self.smallest} samples, found "
                f"{min(n, self.sample_size)}; type n_clusters=<number>"
            )

    def find(self, z: Tensor) -> ClusterNumberEstimate:
        """Find the number of clusters in embeddings.

        Args:
            z: embeddings (N, D); their 50 leading principal components are used.

        Returns:
            The number, and the evidence for every number that was tried.

        Raises:
            UserError: there are too few samples, or values that cannot be clustered.
        """
        self.check(len(z))
        check_embeddings(z)
        # The axes of a Gaussian of the same covariance are the principal components
        points = z[sample_rows(len(z), self.sample_size, self.random_state)].cpu().double().numpy()
        components = PCA(min(_MOST_COMPONENTS, *points.shape), random_state=self.random_state)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # embeddings that are all alike have no variance
            points = components.fit_transform(points)
        spread = points.std(axis=0)
        candidates = list(range(self.smallest, min(self.largest, len(points) // _ROWS_A_CLUSTER) + 1))
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
        n_clusters = most_agreed(candidates, agreement, reference, worst, self.found_again)
        coarse, fine = levels(n_clusters, candidates, agreement, reference, worst)
        return ClusterNumberEstimate(
            n_clusters, candidates, agreement, reference, error, len(points), worst, coarse, fine
        )

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
        n_neighbors = max(3, min(_MOST_NEIGHBORS, round(1.2 * math.log2(len(half)))))
        partitions = community_partitions(known, largest, n_neighbors, self.n_init, draw)
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


def most_agreed(
    candidates: list[int],
    agreement: list[float],
    reference: list[float],
    worst: list[float],
    found_again: float = _FOUND_AGAIN,
) -> int:
    """Choose the largest number that is nearly as clear as the clearest, and whose groups are all found again.

    A group is found again where its overlap is at least .4; then the clarity may be less than the best by .13. It
    may be less by .17 where each group overlaps by .6, and by .2 where by .75, which Hennig calls a pattern and stable.
    These limits were set on MNIST and scikit-learn's digits. Where no number is clear (.3), it is the smallest.

    Args:
        candidates: the numbers (C,) that were tried, ascending.
        agreement: agreement (C,) of halves on each number, at most 1.
        reference: agreement (C,) without groups.
        worst: overlap (C,) of the group that halves agree on least; empty takes the clearest number.
        found_again: least overlap of a group that counts as found again.

    Returns:
        One of the candidates.

    >>> most_agreed([2, 3, 5], [0.99, 0.8, 0.96], [0.77, 0.5, 0.44], [0.9, 0.5, 0.9])
    5
    """
    clear = clarity(agreement, reference)
    if _is_faint(clear, worst):
        return candidates[0]
    best = max(clear)
    if not worst:
        return candidates[clear.index(best)]
    good = [
        i
        for i, (value, overlap) in enumerate(zip(clear, worst, strict=True))
        if overlap >= found_again and value >= best - _allowed(overlap)
    ]
    return candidates[good[-1] if good else clear.index(best)]


def levels(
    n_clusters: int, candidates: list[int], agreement: list[float], reference: list[float], worst: list[float]
) -> tuple[int | None, int | None]:
    """Find a coarser level that is clearer than the chosen number, and a finer one whose groups are all found again.

    Args:
        n_clusters: the number that was chosen.
        candidates: the numbers (C,) that were tried.
        agreement: agreement (C,) of halves on each number.
        reference: agreement (C,) without groups.
        worst: overlap (C,) of the group that halves agree on least.

    Returns:
        The coarse and the fine number; None where there is none, or where there are no groups.

    >>> levels(5, [2, 5, 8, 9], [0.99, 0.9, 0.8, 0.7], [0.3] * 4, [0.9, 0.8, 0.7, 0.3])
    (2, 8)
    """
    clear = dict(zip(candidates, clarity(agreement, reference), strict=True))
    if not worst or _is_faint(list(clear.values()), worst):
        return None, None
    plain = [k for k, overlap in zip(candidates, worst, strict=True) if overlap >= _LEVEL]
    clearer = [k for k in plain if k < n_clusters and clear[k] > clear[n_clusters] + _CLEARER]
    finer = [k for k in plain if k > n_clusters and clear[k] >= _LEVEL]
    return max(clearer, key=lambda k: clear[k]) if clearer else None, max(finer) if finer else None


def clarity(agreement: list[float], reference: list[float]) -> list[float]:
    """Return the agreement beyond that without groups, as a share of the largest that is possible.

    >>> clarity([0.9, 0.4], [0.5, 0.4])
    [0.8, 0.0]
    """
    pairs = zip(agreement, reference, strict=True)
    return [(here - there) / (1 - there) if there < 1 else 0.0 for here, there in pairs]


def _allowed(overlap: float) -> float:
    """Return how far the clarity may be below the best: the more, the further all groups overlap."""
    return _BELOW_BEST if overlap >= _STABLE else _BELOW_PATTERN if overlap >= _LEVEL else _NEARLY_BEST


def _is_faint(clear: list[float], worst: list[float]) -> bool:
    """Return True if no number whose groups are all found again is clear."""
    found = [value for i, value in enumerate(clear) if not worst or worst[i] >= _FOUND_AGAIN]
    return max(found, default=0.0) < _FAINT


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
