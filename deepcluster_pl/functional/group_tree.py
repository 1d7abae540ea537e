"""A tree over groups: those whose members are confused most often are joined first, one pair at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class GroupTree:
    """Joins of K groups into one. The groups are 0 to K-1, and join number i makes the group K+i.

    Attributes:
        pairs: the two groups (J, 2) of each join; of J = K-1 joins, the first is between the most confused.
        closeness: of each pair (J,): links between the two, as a multiple of what their sizes alone let expect; 1 is
            chance, 0 means that no link joins them. It never rises from join to join.
        apart: distance (J,) between the means of the two, which decides where no link joins any two groups.
    """

    pairs: NDArray[np.int64]
    closeness: NDArray[np.float64]
    apart: NDArray[np.float64]


def group_links(clusters: ArrayLike, neighbors: ArrayLike, n_clusters: int) -> NDArray[np.float64]:
    """Count the links of nearest neighbors between every two groups, in both directions.

    Args:
        clusters: cluster (N,) of each sample; links of samples in cluster -1 are left out.
        neighbors: row numbers (N, n) of each sample's neighbors.
        n_clusters: K.

    Returns:
        Links (K, K), symmetric; a link inside a group counts twice.

    >>> group_links([0, 0, 1], [[1], [0], [1]], 2).tolist()
    [[4.0, 1.0], [1.0, 0.0]]
    """
    clusters, neighbors = np.asarray(clusters), np.asarray(neighbors)
    here = np.repeat(clusters, neighbors.shape[1])
    there = clusters[neighbors].ravel()
    inside = (here >= 0) & (there >= 0)
    counts = np.bincount(here[inside] * n_clusters + there[inside], minlength=n_clusters**2)
    links = counts.reshape(n_clusters, n_clusters).astype(np.float64)
    return np.asarray(links + links.T)


def join_groups(links: ArrayLike, means: ArrayLike, sizes: ArrayLike) -> GroupTree:
    """Join groups two by two, the most confused pair first, until one is left.

    The closeness of groups a and b is w(a, b) w / (w(a) w(b)), where w(a, b) are the links between them, w(a) all links
    of a, and w all links. This is the linkage of Bonald, Charpentier, Galland and Hollocou (Hierarchical graph
    clustering using node pair sampling, 2018): an average over pairs of links, so a large group does not swallow small
    ones because it has more members to be confused with. Where no link is left between any two groups, those whose
    means are nearest are joined.

    Args:
        links: links (K, K) between groups, symmetric; see `group_links`.
        means: mean (K, D) of each group.
        sizes: samples (K,) of each group, for the means of joined groups.

    Returns:
        The joins.

    >>> join_groups([[9, 1, 0], [1, 9, 3], [0, 3, 9]], [[0.0], [1.0], [2.0]], [1, 1, 1]).pairs.tolist()
    [[1, 2], [0, 3]]
    """
    table = np.array(links, dtype=np.float64)
    centers, weights = np.array(means, dtype=np.float64), np.array(sizes, dtype=np.float64)
    numbers, k = list(range(len(table))), len(table)
    total = max(table.sum(), np.finfo(float).tiny)
    pairs, closeness, apart = [], [], []
    while len(numbers) > 1:
        # Closeness and distance of every two groups; no group joins itself
        volume = np.maximum(table.sum(axis=1), np.finfo(float).tiny)
        close = table * total / np.outer(volume, volume)
        far = np.sqrt(np.square(centers[:, None] - centers[None]).sum(axis=2))
        np.fill_diagonal(close, -1.0)
        np.fill_diagonal(far, np.inf)
        place = int(close.argmax() if close.max() > 0 else far.argmin())
        a, b = sorted(divmod(place, len(numbers)))
        pairs.append((numbers[a], numbers[b]))
        closeness.append(float(max(close[a, b], 0.0)))
        apart.append(float(far[a, b]))
        # The joined group takes the place of the first one
        share = weights[b] / max(weights[a] + weights[b], np.finfo(float).tiny)
        centers[a] += (centers[b] - centers[a]) * share
        weights[a] += weights[b]
        table[a] += table[b]
        table[:, a] += table[:, b]
        numbers[a] = k + len(pairs) - 1
        keep = np.arange(len(numbers)) != b
        table, centers, weights = table[np.ix_(keep, keep)], centers[keep], weights[keep]
        del numbers[b]
    lowered = np.minimum.accumulate(closeness) if closeness else np.zeros(0)  # rounding must not turn the order
    return GroupTree(np.array(pairs, dtype=np.int64).reshape(-1, 2), lowered, np.array(apart))


def groups_at(pairs: ArrayLike, n_leaves: int, n_groups: int) -> NDArray[np.int64]:
    """Return the group of each leaf of a tree where a number of groups is left.

    Args:
        pairs: joins (J, 2), see `GroupTree`.
        n_leaves: number of leaves L.
        n_groups: groups that are left, L-J to L.

    Returns:
        Group (L,) of each leaf, numbered from 0 by its first leaf.

    >>> groups_at([[1, 2], [0, 3]], 3, 2).tolist()
    [0, 1, 1]
    """
    pairs = np.asarray(pairs)
    group = np.arange(n_leaves)
    for number, (a, b) in enumerate(pairs[: n_leaves - n_groups]):
        group[(group == a) | (group == b)] = n_leaves + number
    _, first, numbers = np.unique(group, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[numbers])


def clearest_number(tree: GroupTree, least: int, most: int, sizes: ArrayLike) -> int:
    """Return the number of groups at the largest gap of a tree: the next join is of groups much less close.

    Numbers at which one group holds more than half of the samples are left out, because such a level says little.

    Args:
        tree: joins of K groups.
        least: smallest number to return, 2 at least.
        most: largest number to return, below K.
        sizes: samples (K,) of each group.

    Returns:
        A number from `least` to `most`, the larger one of equals; `most` where every number is left out.
    """
    k, sizes = len(tree.pairs) + 1, np.asarray(sizes)
    gaps: dict[int, float] = {}
    for n in range(most, least - 1, -1):
        if 2 * np.bincount(groups_at(tree.pairs, k, n), sizes).max() > sizes.sum():
            continue
        done, following = k - n - 1, k - n  # the join that led to n groups, and the next
        here, there = tree.closeness[done], tree.closeness[following]
        if here > 0:
            gaps[n] = float(np.log(here / there)) if there > 0 else np.inf
        else:
            gaps[n] = float(np.log(max(tree.apart[following], 1e-12) / max(tree.apart[done], 1e-12)))
    return max(gaps, key=lambda n: gaps[n]) if gaps else most
