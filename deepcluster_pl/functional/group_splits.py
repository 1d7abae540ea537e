"""Split a group in two where its graph of neighbors comes apart, and only there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray

from deepcluster_pl.functional.neighbors import nearest_neighbors
from deepcluster_pl.functional.spectral_partition import spectral_vectors, symmetric_graph

LEAST_ROWS = 50
"""Samples of a group below which it is never split."""
_NEIGHBORS, _REGULARIZATION, _DRAWS = 10, 0.5, 3
_LEAST_SHARE = 0.08
_WEAKEST, _DEEP = 0.5, 2.0


@dataclass(frozen=True)
class Cut:
    """The best cut of a group in two.

    Attributes:
        parts: part (N,) of each sample, 0 or 1.
        crossing: links from the smaller part to the other, as a share of the smaller part's links.
        dip: mean logarithm of the distance to the last neighbor of samples at the border, less that of all samples, in
            standard errors: above 0, samples at the border are in an emptier place than most.
    """

    parts: NDArray[np.int64]
    crossing: float
    dip: float


@dataclass(frozen=True)
class Split:
    """A split that is well supported.

    Attributes:
        parts: part (N,) of each sample, 0 or 1.
        support: 1 less the share of crossing links, divided by that of data without groups; .5 to 1.
    """

    parts: NDArray[np.int64]
    support: float


def cut_in_two(points: NDArray[np.float32]) -> Cut:
    """Cut points in two parts with few links of nearest neighbors between them.

    Points are put in order by the second vector of their graph (Shi, Malik 2000), and cut where the share of links that
    cross is the smallest. Three groups that nothing joins have no second vector of their own, but any that is found is
    constant on each of them, so the best place in the order is between two.

    Args:
        points: points (N, D), at least 4.

    Returns:
        The cut.

    Raises:
        ValueError: the eigenvalue iteration does not converge.
    """
    points = np.ascontiguousarray(points, dtype=np.float32)
    n_neighbors = min(_NEIGHBORS, max(2, len(points) // 4))
    neighbors = nearest_neighbors(torch.from_numpy(points), n_neighbors).numpy()
    graph = symmetric_graph(neighbors)
    parts = _best_place(graph, spectral_vectors(graph, 2, _REGULARIZATION, 0)[:, 0])
    # Share of each sample's links that cross, and how far its last neighbor is
    crosses = (parts[neighbors] != parts[:, None]).mean(axis=1)
    reach = np.log(np.maximum(np.linalg.norm(points[neighbors[:, -1]] - points, axis=1), 1e-12))
    smaller = max(int(np.bincount(parts, minlength=2).min()), 1)
    dip = np.inf
    if crosses.any():
        n_border = crosses.sum() ** 2 / np.square(crosses).sum()  # as many samples as would weigh alike
        error = max(float(reach.std()), 1e-12) / np.sqrt(n_border)
        dip = (np.average(reach, weights=crosses) - reach.mean()) / error
    return Cut(parts, float(crosses.sum() / 2 / smaller), float(dip))


def _best_place(graph: sp.csr_array, values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the parts (N,) below and above a value, where the fewest links of the smaller part cross."""
    order = np.argsort(values, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    # Links that are open after each place in the order: they begin at one end and stop at the other
    edges = graph.tocoo()
    one, two = place[edges.row], place[edges.col]
    opens = np.bincount(np.minimum(one, two), edges.data, len(order))
    closes = np.bincount(np.maximum(one, two), edges.data, len(order))
    crossing = np.cumsum(opens - closes)[:-1] / 2
    volume = np.cumsum(np.asarray(graph.sum(axis=1)).ravel()[order])
    share = crossing / np.minimum(volume[:-1], volume[-1] - volume[:-1])
    # No part is tiny
    least = int(np.ceil(_LEAST_SHARE * len(order)))
    at = least - 1 + int(np.argmin(share[least - 1 : len(order) - least]))
    return (place > at).astype(np.int64)


def supported_split(points: NDArray[np.float32], seed: int) -> Split | None:
    """Split a group in two if its own structure asks for it.

    Any group can be cut in two. The cut is offered where three things hold: it crosses less than half of the links that
    the best cut of data without groups crosses (drawn from a normal distribution of the same mean and covariance);
    samples at the border are in an emptier place than most, which those inside a long or bent group seldom are;
    and no part is tiny, since cuts that make one are not looked at.

    Args:
        points: points (N, D) of one group, equal ones left out.
        seed: decides the draws.

    Returns:
        The split; None where there is none.
    """
    if len(points) < LEAST_ROWS:
        return None
    try:
        cut = cut_in_two(points)
        if cut.dip < _DEEP:
            return None
        expected = np.mean([cut_in_two(draw).crossing for draw in _without_groups(points, seed)])
    except ValueError:  # no convergence, so nothing can be said
        return None
    support = 1 - cut.crossing / max(float(expected), np.finfo(float).tiny)
    return Split(cut.parts, support) if support > 1 - _WEAKEST else None


def _without_groups(points: NDArray[np.float32], seed: int) -> list[NDArray[np.float32]]:
    """Return draws (N, D) from a normal distribution with the covariance of the points."""
    generator = np.random.default_rng(seed)
    variances, axes = np.linalg.eigh(np.cov(points.astype(np.float64).T).reshape(points.shape[1], -1))
    scales = np.sqrt(np.maximum(variances, 0.0))
    return [(generator.normal(size=points.shape) * scales @ axes.T).astype(np.float32) for _ in range(_DRAWS)]
