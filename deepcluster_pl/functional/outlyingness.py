"""Distance of a sample to its neighbors, beside that of its whole group: samples that no group explains stand out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEAST_EXPLAINED = 0.2
"""Share of the squared distances to the common mean that a group's own mean has to explain, or it is no group."""
_FEWEST = 20
"""Samples below which a group says too little about the usual distance."""
_LEAST_SPREAD = 0.02
"""Of a group in which all distances are equal."""
_WHOLE = 0.9
"""Share of a group that has to stand out so that all of it does."""
_QUARTILE = 0.6745
"""Upper quartile of a normal distribution, in standard deviations."""


class Spacing(NamedTuple):
    """The usual distance to neighbors in each group, as logarithms.

    Attributes:
        middle: (K,) of each group's own samples; NaN where they are too few to say.
        spread: (K,) likewise.
        other_middle: (K,) of the other groups; of all samples where no other group says something.
        other_spread: (K,) likewise.
        is_solid: (K,) whether the group has enough samples, and explains where they are.
    """

    middle: NDArray[np.float64]
    spread: NDArray[np.float64]
    other_middle: NDArray[np.float64]
    other_spread: NDArray[np.float64]
    is_solid: NDArray[np.bool_]


def usual_spacing(
    distances: NDArray[np.floating], clusters: NDArray[np.int64], explained: NDArray[np.floating]
) -> Spacing:
    """Measure the usual distance to neighbors in each group.

    Middle is the median of the logarithms. Spread is the larger of two robust standard deviations: by the median
    absolute deviation, and by the upper quartile, since logarithms of distances have a longer tail above. Samples at
    distance 0 have twins and say nothing. For the other groups, middle and spread are medians over them, and the spread
    is at least that of their middles.

    Args:
        distances: distance (N,) of each sample to its neighbors.
        clusters: group (N,) of each sample, from 0.
        explained: share (K,) that each group explains, see `explained_shares`.

    Returns:
        What is usual in each group, and in the others.
    """
    k, apart = len(explained), distances > 0
    logarithms = np.log(distances[apart], dtype=np.float64)
    members = [logarithms[clusters[apart] == group] for group in range(k)]
    own = np.array([_middle_and_spread(few if len(few) >= _FEWEST else few[:0]) for few in members])
    middle, spread = own[:, 0], own[:, 1]
    solid = ~np.isnan(middle) & (explained >= LEAST_EXPLAINED)
    beside = np.tile(_middle_and_spread(logarithms), (k, 1))
    for group in range(k):
        others = solid & (np.arange(k) != group)
        if others.any():
            center = np.median(middle[others])
            between = np.median(np.abs(middle[others] - center)) / _QUARTILE
            beside[group] = center, max(np.median(spread[others]), between)
    return Spacing(middle, spread, beside[:, 0], beside[:, 1], solid)


def _middle_and_spread(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the median and a robust standard deviation of values; NaN without any."""
    if not len(values):
        return np.nan, np.nan
    middle, upper = np.quantile(values, [0.5, 0.75])
    deviation = max(np.median(np.abs(values - middle)), upper - middle)
    return float(middle), max(float(deviation) / _QUARTILE, _LEAST_SPREAD)


def outlyingness(distances: NDArray[np.floating], clusters: NDArray[np.int64], usual: Spacing) -> NDArray[np.float64]:
    """Return how many spreads farther than usual a sample (N,) is from its neighbors; -inf for one with twins only.

    A sample is compared with its own group. Where that explains nothing, because it gathers what is left over, the
    sample is compared with the other groups too, and the larger number counts. Where it has fewer than 20 samples, the
    other groups alone say what is usual.

    Args:
        distances: distance (N,) of each sample to its neighbors, among those that were measured.
        clusters: group (N,) of each sample, from 0.
        usual: of each group; see `usual_spacing`.

    >>> near = np.array([1.0, 1.1, 0.9, 1.05, 0.95] * 8 + [3.0])
    >>> usual = usual_spacing(near, np.zeros(41, dtype=np.int64), np.array([0.5]))
    >>> (outlyingness(near, np.zeros(41, dtype=np.int64), usual) > 4).nonzero()[0].tolist()
    [40]
    """
    with np.errstate(divide="ignore"):
        logarithms = np.log(distances, dtype=np.float64)
    own = (logarithms - usual.middle[clusters]) / usual.spread[clusters]
    beside = (logarithms - usual.other_middle[clusters]) / usual.other_spread[clusters]
    larger = np.fmax(own, np.where(usual.is_solid[clusters], -np.inf, beside))  # NaN loses
    return np.where((distances > 0) & ~np.isnan(larger), larger, -np.inf)


def with_whole_groups(flagged: NDArray[np.bool_], clusters: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return flags (N,) that are set for all samples of a group of which nine of ten are flagged.

    Args:
        flagged: whether each sample (N,) is.
        clusters: group (N,) of each, from 0.

    >>> with_whole_groups(np.array([True] * 9 + [False] * 3), np.array([0] * 10 + [1] * 2)).tolist()
    [True, True, True, True, True, True, True, True, True, True, False, False]
    """
    sizes, counts = np.bincount(clusters), np.bincount(clusters, flagged)
    return flagged | (counts >= _WHOLE * sizes)[clusters]


def explained_shares(x: NDArray[np.floating], clusters: NDArray[np.int64], n_clusters: int) -> NDArray[np.float64]:
    """Return the share of the squared distances to the common mean that the mean of each group explains.

    Args:
        x: samples (N, F).
        clusters: group (N,) of each, from 0.
        n_clusters: K.

    Returns:
        Shares (K,): near 1 for a group far from the others, near 0 for one that gathers what is left over, and 0 for
        one without samples.

    >>> x = np.array([[-1.0], [-1.0], [2.0], [2.0], [-1.0], [-1.0]])
    >>> explained_shares(x, np.array([0, 0, 1, 1, 2, 2]), 4).tolist()
    [1.0, 1.0, 1.0, 0.0]
    """
    middle, shares = x.mean(axis=0, dtype=np.float64), np.zeros(n_clusters)
    for group in range(n_clusters):
        own = x[clusters == group]
        if len(own):
            center = own.mean(axis=0, dtype=np.float64)
            # Σ|x - m|² = Σ|x - c|² + n |c - m|²
            between = float(np.square(center - middle).sum())
            within = float(np.square(own - center.astype(x.dtype)).sum(dtype=np.float64)) / len(own)
            shares[group] = between / (between + within) if between + within > 0 else 0.0
    return shares
