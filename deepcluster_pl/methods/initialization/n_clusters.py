"""Find the number of clusters by the agreement of partitions that two halves of the samples lead to."""

from __future__ import annotations

import json
import statistics
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from torch import Tensor

from deepcluster_pl.errors import UserError, first_line
from deepcluster_pl.methods.initialization.initial_clustering import check_embeddings
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.determinism import deterministic_openmp
from deepcluster_pl.utils.json_files import read_json
from deepcluster_pl.utils.random import sample_rows
from deepcluster_pl.utils.ranges import Count, NonNegativeInt

Auto = Literal["auto"]
AUTO: Auto = "auto"
"""Value of `n_clusters` that asks for an estimate."""
_MOST_COMPONENTS = 64
_ROWS_A_CLUSTER = 10
_FAINT, _BEYOND, _FULL = 0.2, 0.05, 0.99


@dataclass(frozen=True)
class ClusterNumberEstimate:
    """A number of clusters, and the evidence for it.

    Attributes:
        n_clusters: the number K that was chosen.
        candidates: the numbers (C,) that were tried.
        agreement: mean adjusted Rand index (C,) of the partitions that two halves of the samples lead to.
        reference: the same for samples without groups.
        error: standard error (C,) of their difference.
        n: number of samples that were clustered.
    """

    n_clusters: int
    candidates: list[int]
    agreement: list[float]
    reference: list[float]
    error: list[float]
    n: int

    @property
    def excess(self) -> list[float]:
        """Return the difference (C,) between the agreement of halves and that without groups."""
        return [here - there for here, there in zip(self.agreement, self.reference, strict=True)]

    def evidence(self, n_clusters: int) -> tuple[float, float]:
        """Return the agreement on a number of clusters, and that without groups."""
        at = self.candidates.index(n_clusters)
        return self.agreement[at], self.reference[at]

    @property
    def second(self) -> int | None:
        """Return the number with the next largest excess; None where only one was tried."""
        others = [(value, k) for k, value in zip(self.candidates, self.excess, strict=True) if k != self.n_clusters]
        return max(others)[1] if others else None

    @property
    def is_faint(self) -> bool:
        """Return True if halves agree on no number clearly more than they would without groups.

        For a single Gaussian the difference is noise; a test checks that it stays below .2.
        """
        return max(self.excess) < _FAINT and not _is_plain(*self.evidence(self.n_clusters))

    def describe(self) -> str:
        """Describe in a line the number, its evidence and the next best number.

        >>> ClusterNumberEstimate(3, [2, 3, 4], [0.5, 0.9, 0.6], [0.4, 0.3, 0.3], [0.01, 0.01, 0.01], 99).describe()
        'n_clusters=3: halves of the data agree by 0.90, without groups they would by 0.30; next comes 4 (0.60, 0.30)'
        """
        here, there = self.evidence(self.n_clusters)
        text = f"n_clusters={self.n_clusters}: halves of the data agree by {here:.2f}, "
        text += f"without groups they would by {there:.2f}"
        if self.second is not None:
            text += "; next comes {} ({:.2f}, {:.2f})".format(self.second, *self.evidence(self.second))
        if self.is_faint:
            text += "; that is hardly more: there may be no groups"
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
            return ClusterNumberEstimate(**read_json(path))
        except (OSError, ValueError, TypeError) as error:
            raise UserError(f"{path} cannot be read: {first_line(error)}; type n_clusters=<number>") from error


class SplitHalfStability:
    """Search for the number of clusters whose partition is more reproducible than it would be without groups.

    The samples are halved. k-means on each half assigns all samples, and the adjusted Rand index measures the agreement
    of the two partitions. Two halves agree on few clusters even where there are no groups. So the same is done with as
    many points of one Gaussian of the same covariance, and the difference counts. Of all numbers whose difference comes
    within a standard error of the largest, the one with the highest agreement is chosen. Where halves agree in full,
    the largest such number is chosen, since groups that are so plain may be nested.

    This is Clest (Dudoit, Fridlyand: A prediction-based resampling method for estimating the number of clusters in a
    dataset, Genome Biology 3, 2002) with three changes. A Gaussian replaces the uniform box, because the axes of
    embeddings differ in spread. Both halves assign all samples. The one-standard-error rule of the gap statistic
    (Tibshirani, Walther, Hastie 2001) replaces a p-value.

    Args:
        smallest: smallest number that is tried.
        largest: largest number that is tried; less where there are fewer than ten samples for each cluster.
        n_halvings: times that the samples are halved, for each number.
        n_references: draws of samples without groups, for each number; the more, the steadier the answer.
        n_init: restarts of k-means.
        sample_size: number of samples that are clustered, a draw where there are more.
        random_state: decides the sample, the halves, the reference and the restarts.
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
    ) -> None:
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
            z: embeddings (N, D); their 64 leading principal components are used.

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
        rows: list[list[float]] = []
        with deterministic_openmp(), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct points than clusters
            for k in candidates:
                draw = np.random.default_rng([self.random_state, k])
                # Agreement of halves of the samples, then of halves of as many draws without groups
                here = [self._agreement(points, k, draw) for _ in range(self.n_halvings)]
                there = [
                    self._agreement(draw.standard_normal(points.shape) * spread, k, draw)
                    for _ in range(self.n_references)
                ]
                rows.append([statistics.mean(here), statistics.mean(there), _error(here, there)])
        agreement, reference, error = (list(column) for column in zip(*rows, strict=True))
        n_clusters = most_agreed(candidates, agreement, reference, error)
        return ClusterNumberEstimate(n_clusters, candidates, agreement, reference, error, len(points))

    def _agreement(self, points: NDArray[np.float64], k: int, draw: np.random.Generator) -> float:
        """Halve points (N, D), cluster each half into k, and return the agreement of the two on all points."""
        order = draw.permutation(len(points))
        seeds = draw.integers(2**31, size=2)
        halves = (order[: len(order) // 2], order[len(order) // 2 :])
        first, second = (
            KMeans(k, n_init=self.n_init, random_state=int(seed)).fit(points[half]).predict(points)
            for half, seed in zip(halves, seeds, strict=True)
        )
        return float(adjusted_rand_score(first, second))


def most_agreed(candidates: list[int], agreement: list[float], reference: list[float], error: list[float]) -> int:
    """Choose the largest number that halves agree on in full (.99), and by more than .05 more than without groups.

    Where there is none, it is the number with the highest agreement among those whose excess comes within a standard
    error of the largest excess.

    Args:
        candidates: the numbers (C,) that were tried, ascending.
        agreement: agreement (C,) of halves on each number, at most 1.
        reference: agreement (C,) without groups.
        error: standard error (C,) of their difference.

    Returns:
        One of the candidates.

    >>> most_agreed([2, 3, 4], [0.9, 0.8, 0.7], [0.8, 0.3, 0.19], [0.01, 0.01, 0.02])
    3
    """
    excess = [here - there for here, there in zip(agreement, reference, strict=True)]
    # Numbers that halves agree on in full
    plain = [i for i, pair in enumerate(zip(agreement, reference, strict=True)) if _is_plain(*pair)]
    # Numbers within a standard error of the largest excess
    best = max(range(len(excess)), key=lambda i: excess[i])
    good = [i for i, value in enumerate(excess) if value >= excess[best] - error[best]]
    return candidates[plain[-1] if plain else max(good, key=lambda i: agreement[i])]


def _is_plain(agreement: float, reference: float) -> bool:
    """Return True if halves agree in full, and clearly more than without groups."""
    return agreement >= _FULL and agreement - reference > _BEYOND


def _error(here: list[float], there: list[float]) -> float:
    """Return the standard error of the difference between two means."""
    return float(np.sqrt(statistics.variance(here) / len(here) + statistics.variance(there) / len(there)))
