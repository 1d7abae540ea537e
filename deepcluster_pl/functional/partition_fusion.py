"""Combine partitions of one graph: take over from the others what raises the modularity of the best."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from deepcluster_pl.functional.graph_edges import GraphEdges, modularity

_FEWEST = 10
"""Points of a group that is worth a move of its own."""
_PARTS_TRIED, _MOST_LOST = 8, 0.2
"""Parts of each finer partition that are tried, and what a move may lose before points follow, per weight of edges."""
_ROUNDS = 2
_LEAST_GAIN = 1e-9
Follow = Callable[[Tensor], Tensor]
"""Moves single points of a partition (N,) to the community that they fit best."""


def fused(
    edges: GraphEdges, found: Sequence[Tensor], finer: Sequence[Tensor], resolution: float, follow: Follow
) -> Tensor:
    """Combine partitions into K communities to one whose modularity is at least the largest of theirs.

    Points of a group have most of their edges among themselves. So they never leave a community one by one, though all
    together may fit another one better. Such groups are moved as a whole, the points around them follow, and a move
    stays where the modularity has risen. Groups are, first, the points on which the best partition and another one
    differ, as in fusion moves (Lempitsky, Rother, Roth, Blake: Fusion moves for Markov random field optimization, PAMI
    32, 2010); then communities of finer partitions, as in multi-level refinement (Rotta, Noack: Multilevel local search
    algorithms for modularity clustering, Journal of Experimental Algorithmics 16, 2011).

    Args:
        edges: the graph.
        found: partitions (N,), int32, each into K communities.
        finer: partitions (N,), int32, into more communities.
        resolution: weight of the edges that degrees let expect.
        follow: moves single points; it may empty a community, and such a move is taken back.

    Returns:
        Communities (N,), int32.
    """
    k = int(found[0].max()) + 1

    def quality(labels: Tensor) -> float:
        return modularity(edges.between(labels, k), resolution)

    qualities = [quality(labels) for labels in found]
    order = np.argsort(qualities)[::-1]
    labels: Tensor = found[order[0]]
    best = qualities[order[0]]

    def with_group(group: Tensor, to: int) -> tuple[Tensor, float]:
        # Most of a community never moves: two would become one, and the rest of it another
        own = labels == labels[group][0]
        if 2 * int(group.sum()) > int(own.sum()):
            return labels, best
        tried = follow(torch.where(group, to, labels).int())
        reached = quality(tried) if int(tried.max()) + 1 == k else -np.inf
        return (tried, reached) if reached > best + _LEAST_GAIN else (labels, best)

    # Where another partition differs
    for at in order[1:]:
        for here, there, other in _differences(labels, found[at], k):
            if (group := (labels == here) & (other == there)).any():
                labels, best = with_group(group, there)
    # Communities of finer partitions
    for _ in range(_ROUNDS):
        before = best
        for partition in finer:
            for group, to in _loose_parts(edges, labels, partition, k, resolution):
                labels, best = with_group(group, to)
        if best == before:
            break
    return labels


def _differences(labels: Tensor, other: Tensor, k: int) -> Iterator[tuple[int, int, Tensor]]:
    """Yield where points of one partition are elsewhere in another, the largest group first.

    Yields:
        The community here, the one there, and the other partition (N,) in the numbers of those most alike.
    """
    counts = torch.bincount(labels.long() * k + other, minlength=k * k).view(k, k).cpu().numpy()
    mine, theirs = linear_sum_assignment(-counts)
    number: NDArray[np.int64] = np.empty(k, dtype=np.int64)
    number[theirs] = mine
    alike = torch.from_numpy(number).to(labels.device).index_select(0, other)
    for cell in np.argsort(-counts.ravel(), kind="stable"):
        here, there = divmod(int(cell), k)
        if counts[here, there] < _FEWEST:
            return
        if number[there] != here:
            yield here, int(number[there]), alike


def _loose_parts(
    edges: GraphEdges, labels: Tensor, finer: Tensor, k: int, resolution: float
) -> list[tuple[Tensor, int]]:
    """Return the parts of communities that are bound least to their own, and where each fits best otherwise.

    Args:
        edges: the graph.
        labels: community (N,) of each point.
        finer: partition (N,) into more communities; a part is what one of them shares with one of `labels`.
        k: number of communities.
        resolution: weight of the edges that degrees let expect.

    Returns:
        Points (N,) of each part, and a community.
    """
    cells, parts = torch.unique(finer * k + labels, return_inverse=True)
    own, rows = (cells % k).long(), torch.arange(len(cells), device=labels.device)
    sizes = edges.degrees.new_zeros(len(cells)).index_add_(0, parts, edges.degrees).double()
    onto = edges.degrees.new_zeros(len(cells), k).index_add_(0, parts, edges.to_communities(labels, k)).double()
    same = parts.index_select(0, edges.first) == parts.index_select(0, edges.second)
    within = edges.degrees.new_zeros(len(cells)).index_add_(0, parts.index_select(0, edges.first), edges.weights * same)
    communities = edges.degrees.new_zeros(k).index_add_(0, labels, edges.degrees).double()
    # Edges onto each community, less those that degrees let expect; a part does not count itself
    expected = resolution / edges.total * sizes[:, None]
    gains = onto - expected * communities
    stays = gains[rows, own] - within + expected[:, 0] * sizes
    gains[rows, own] = -torch.inf
    best, to = ((gains - stays[:, None]) / sizes[:, None]).max(dim=1)
    best[torch.bincount(parts) < _FEWEST] = -torch.inf
    chosen = [int(at) for at in best.argsort(descending=True, stable=True)[:_PARTS_TRIED] if best[at] > -_MOST_LOST]
    return [(parts == at, int(to[at])) for at in chosen]
