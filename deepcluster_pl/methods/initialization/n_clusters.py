"""How many clusters embeddings hold, by what halves of them agree on; no label is read."""

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

from deepcluster_pl.errors import UserError
from deepcluster_pl.methods.initialization.initial_clustering import check_embeddings
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.determinism import deterministic_openmp
from deepcluster_pl.utils.random import sample_rows
from deepcluster_pl.utils.ranges import Count, NonNegativeInt

Auto = Literal["auto"]
AUTO: Auto = "auto"
"""What `n_clusters=` is where the number is to be found."""
_MOST_COMPONENTS = 64
_ROWS_A_CLUSTER = 10
_FAINT, _BEYOND, _FULL = 0.2, 0.05, 0.99


@dataclass(frozen=True)
class ClusterNumberEstimate:
    """A number of clusters, and what speaks for it.

    Attributes:
        n_clusters: K.
        candidates: the numbers (C,) that were looked at.
        agreement: mean adjusted Rand index (C,) of the partitions that two halves of the samples lead to.
        reference: the same of samples without groups.
        error: standard error (C,) of their difference.
        n: samples that were looked at.
    """

    n_clusters: int
    candidates: list[int]
    agreement: list[float]
    reference: list[float]
    error: list[float]
    n: int

    @property
    def excess(self) -> list[float]:
        """How much more (C,) halves agree than they would without groups."""
        return [here - there for here, there in zip(self.agreement, self.reference, strict=True)]

    def evidence(self, n_clusters: int) -> tuple[float, float]:
        """Agreement on a number, and that of the reference."""
        at = self.candidates.index(n_clusters)
        return self.agreement[at], self.reference[at]

    @property
    def second(self) -> int | None:
        """The number that comes next, by its excess; None where one alone was looked at."""
        others = [(value, k) for k, value in zip(self.candidates, self.excess, strict=True) if k != self.n_clusters]
        return max(others)[1] if others else None

    @property
    def is_faint(self) -> bool:
        """Whether no number is agreed on clearly more than it would be without groups.

        For a single Gaussian the difference is noise; a test checks that it stays below .2.
        """
        return max(self.excess) < _FAINT and not _is_plain(*self.evidence(self.n_clusters))

    def describe(self) -> str:
        """The number, its evidence, and what comes next, in a line.

        >>> ClusterNumberEstimate(3, [2, 3, 4], [0.5, 0.9, 0.6], [0.4, 0.3, 0.3], [0.01, 0.01, 0.01], 99).describe()
        'n_clusters=3: halves of the data agree by 0.90, without groups they would by 0.30; next comes 4 (0.60, 0.30)'
        """
        here, there = self.evidence(self.n_clusters)
        told = f"n_clusters={self.n_clusters}: halves of the data agree by {here:.2f}, "
        told += f"without groups they would by {there:.2f}"
        if self.second is not None:
            told += "; next comes {} ({:.2f}, {:.2f})".format(self.second, *self.evidence(self.second))
        if self.is_faint:
            told += "; that is hardly more: there may be no groups"
        if self.n_clusters == max(self.candidates):
            why = f"of {self.n} samples" if self.n < _ROWS_A_CLUSTER * (self.n_clusters + 1) else "by choose.largest"
            told += f"; no larger number was looked at, {why}: n_clusters=<number> takes any"
        return told

    def save(self, path: Path) -> None:
        """Write a JSON file."""
        with atomic_write(path) as file:
            json.dump(asdict(self), file, indent=2)

    @staticmethod
    def load(path: Path) -> ClusterNumberEstimate:
        """Read what `save` wrote; `UserError` where it is damaged."""
        try:
            return ClusterNumberEstimate(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            text = f"{path} cannot be read: {str(error).splitlines()[0]}; type n_clusters=<number>"
            raise UserError(text) from error


class SplitHalfStability:
    """Finds the number of clusters whose partition is the most reproducible, beyond what any number is.

    The samples are halved. k-means on each half assigns all samples, and the adjusted Rand index tells how far the two
    partitions agree. Few clusters agree even where there are no groups; so the same is done with as many points of one
    Gaussian of the same covariance, and the difference counts. Of all numbers whose difference comes within a standard
    error of the largest, the one that halves agree on most is taken; but where halves agree in full, the largest number
    of which that is true, since groups that are so plain may hold each other.

    This is Clest (Dudoit, Fridlyand: A prediction-based resampling method for estimating the number of clusters in a
    dataset, Genome Biology 3, 2002) with a Gaussian in the place of the uniform box, because the axes of a code differ
    in spread, with both halves assigning all samples, and with the one-standard-error rule of the gap statistic
    (Tibshirani, Walther, Hastie 2001) in the place of a p-value.

    Args:
        smallest: number that is looked at.
        largest: number that is looked at; less where there are fewer than ten samples for each cluster.
        n_halvings: of the samples, for each number.
        n_references: draws of samples without groups, for each number; the more, the steadier the answer.
        n_init: restarts of k-means.
        sample_size: rows that are looked at, a draw where there are more.
        random_state: decides the rows, the halves, the reference and the restarts.
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
        """Raise `UserError` where no number can be looked at, of n samples."""
        if self.largest < self.smallest:
            raise UserError(f"found choose.smallest={self.smallest} above choose.largest={self.largest}")
        if min(n, self.sample_size) < _ROWS_A_CLUSTER * self.smallest:
            raise UserError(
                f"n_clusters=auto needs at least {_ROWS_A_CLUSTER * self.smallest} samples, found "
                f"{min(n, self.sample_size)}; type n_clusters=<number>"
            )

    def find(self, z: Tensor) -> ClusterNumberEstimate:
        """The number of clusters in embeddings (N, D), of which the 64 leading principal components are looked at."""
        self.check(len(z))
        check_embeddings(z)
        points = z[sample_rows(len(z), self.sample_size, self.random_state)].cpu().double().numpy()
        components = PCA(min(_MOST_COMPONENTS, *points.shape), random_state=self.random_state)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # embeddings that are all alike have no variance
            points = components.fit_transform(points)
        spread = points.std(axis=0)
        candidates = list(range(self.smallest, min(self.largest, len(points) // _ROWS_A_CLUSTER) + 1))
        found: list[list[float]] = []
        with deterministic_openmp(), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct points than clusters
            for k in candidates:
                draw = np.random.default_rng([self.random_state, k])
                here = [self._agreement(points, k, draw) for _ in range(self.n_halvings)]
                there = [
                    self._agreement(draw.standard_normal(points.shape) * spread, k, draw)
                    for _ in range(self.n_references)
                ]
                found.append([statistics.mean(here), statistics.mean(there), _error(here, there)])
        agreement, reference, error = (list(column) for column in zip(*found, strict=True))
        taken = most_agreed(candidates, agreement, reference, error)
        return ClusterNumberEstimate(taken, candidates, agreement, reference, error, len(points))

    def _agreement(self, points: NDArray[np.float64], k: int, draw: np.random.Generator) -> float:
        order = draw.permutation(len(points))
        seeds = draw.integers(2**31, size=2)
        halves = (order[: len(order) // 2], order[len(order) // 2 :])
        one, other = (
            KMeans(k, n_init=self.n_init, random_state=int(seed)).fit(points[half]).predict(points)
            for half, seed in zip(halves, seeds, strict=True)
        )
        return float(adjusted_rand_score(one, other))


def most_agreed(candidates: list[int], agreement: list[float], reference: list[float], error: list[float]) -> int:
    """The largest number that halves agree on in full (.99), beyond what they would without groups.

    Where there is none: of the numbers whose excess comes within a standard error of the largest excess, the one that
    halves agree on most.

    >>> most_agreed([2, 3, 4], [0.9, 0.8, 0.7], [0.8, 0.3, 0.19], [0.01, 0.01, 0.02])
    3
    """
    excess = [here - there for here, there in zip(agreement, reference, strict=True)]
    plain = [i for i, pair in enumerate(zip(agreement, reference, strict=True)) if _is_plain(*pair)]
    best = max(range(len(excess)), key=lambda i: excess[i])
    good = [i for i, value in enumerate(excess) if value >= excess[best] - error[best]]
    return candidates[plain[-1] if plain else max(good, key=lambda i: agreement[i])]


def _is_plain(agreement: float, reference: float) -> bool:
    return agreement >= _FULL and agreement - reference > _BEYOND


def _error(here: list[float], there: list[float]) -> float:
    return float(np.sqrt(statistics.variance(here) / len(here) + statistics.variance(there) / len(there)))
