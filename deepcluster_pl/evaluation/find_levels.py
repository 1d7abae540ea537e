"""Build the levels of a partition: which groups are joined above it, and which come apart below it."""

from __future__ import annotations

import heapq
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from deepcluster_pl.evaluation.levels import Kind, Level, Levels
from deepcluster_pl.evaluation.predictions import Partition, Predictions
from deepcluster_pl.functional.group_splits import LEAST_ROWS, Split, supported_split
from deepcluster_pl.functional.group_tree import GroupTree, clearest_number, group_links, groups_at, join_groups
from deepcluster_pl.functional.neighbors import nearest_neighbors, nearest_rows
from deepcluster_pl.utils.random import sample_rows

_ROWS, _COMPONENTS, _NEIGHBORS, _AT_ONCE = 8000, 50, 10, 100_000
_MOST_PARTS, _MANY_CELLS, _FEWEST_FOR_COARSEST = 4, 30, 12


def make_levels(predictions: Predictions, n_clusters: int, seed: int, coarse: int | None = None) -> Levels:
    """Build the levels above and below a partition, in the embeddings that it was made in.

    Links of nearest neighbors are counted among at most 8,000 distinct fitted rows, in at most 50 principal components.
    A sample that was not drawn gets the cell of the nearest drawn one of its own cluster.

    Args:
        predictions: embeddings and clusters of each part; samples in cluster -1 are left out.
        n_clusters: K.
        seed: decides the rows and the draws.
        coarse: number of groups to offer as the coarse level, where it is known; None takes the largest gap.

    Returns:
        The levels.
    """
    fitted = predictions["fit"]
    clusters = fitted.clusters.numpy()
    # Rows to look at, each once, in few components
    present = np.unique(np.concatenate([prediction.clusters.numpy() for prediction in predictions.values()]))
    present = present[present >= 0]
    rows = _rows_to_look_at(fitted.z.numpy(), clusters, present, seed)
    z, own = fitted.z.numpy()[rows], clusters[rows]
    reduce = _reduction(z, seed)
    x = reduce(z)
    # Below: parts of clusters
    cells, cluster_of_cell, undone, support = _split(x, own, present, seed)
    n_cells, n_splits = len(cluster_of_cell), len(undone)
    # Above: joins of clusters, numbered as the tree over cells has them
    joins = _join(x, own, present)
    numbers = _numbers_of_clusters(undone, cluster_of_cell, present)
    pairs = [*undone]
    for number, pair in enumerate(joins.pairs.tolist()):
        pairs.append([numbers[i] for i in pair])
        numbers[len(present) + number] = n_cells + n_splits + number
    tree = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    carried = _carry(predictions, reduce, rows, x, cells, cluster_of_cell)
    # The few levels that are offered
    k = len(present)
    wanted: list[tuple[Kind, int]] = [("chosen", k)]
    if n_cells > k:
        wanted.append(("fine", n_cells))
    if k >= 3:
        of_clusters = np.bincount(clusters[clusters >= 0], minlength=int(present[-1]) + 1)[present]
        middle = clearest_number(joins, max(2, -(-k // 3)), max(2, 2 * k // 3), of_clusters)
        if coarse and 2 <= coarse < k:
            middle = coarse
        wanted.insert(0, ("coarse", middle))
        if k >= _FEWEST_FOR_COARSEST and (most := min(k // 4, middle - 1)) >= 2:
            wanted.insert(0, ("coarsest", clearest_number(joins, 2, most, of_clusters)))
    offered: list[Level] = []
    sizes_of_cells = np.bincount(carried["fit"][carried["fit"] >= 0], minlength=n_cells)
    for kind, n in wanted:
        group = cluster_of_cell if kind == "chosen" else groups_at(tree, n_cells, n)
        n_numbers = n_clusters if kind == "chosen" else n
        parent: list[int | None] = [None] * n_numbers
        if offered:
            for cell, number in enumerate(group.tolist()):
                parent[number] = int(offered[-1].group_of_cell[cell])
        sizes = np.bincount(group, sizes_of_cells, n_numbers).astype(int).tolist()
        offered.append(Level(kind, group, parent, sizes))
    return Levels(carried, cluster_of_cell, tree, [*support, *joins.closeness.tolist()], offered)


def _rows_to_look_at(
    z: NDArray[np.float32], clusters: NDArray[np.int64], present: NDArray[np.int64], seed: int
) -> NDArray[np.int64]:
    """Return at most 8,000 rows that are in a cluster, some of every cluster, and of equal embeddings one."""
    rows = sample_rows(len(clusters), _ROWS, seed)
    rows = rows[clusters[rows] >= 0]
    drawn = np.bincount(clusters[rows], minlength=int(present.max(initial=-1)) + 1)
    small = [np.flatnonzero(clusters == k)[:LEAST_ROWS] for k in present if drawn[k] < LEAST_ROWS]
    rows = np.unique(np.concatenate([rows, *small]))
    some = np.column_stack([clusters[rows], z[rows]])
    return np.asarray(rows[np.sort(np.unique(some, axis=0, return_index=True)[1])])


def _reduction(z: NDArray[np.float32], seed: int) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Return the map of embeddings to at most 50 of their principal components."""
    if min(z.shape) <= _COMPONENTS:
        return lambda some: np.asarray(some, dtype=np.float32)
    pca = PCA(_COMPONENTS, svd_solver="randomized", random_state=seed).fit(z)
    return lambda some: np.asarray(pca.transform(some), dtype=np.float32)


def _join(x: NDArray[np.float32], own: NDArray[np.int64], present: NDArray[np.int64]) -> GroupTree:
    """Return the joins of the clusters that are present, by links among the rows x."""
    number = np.searchsorted(present, own)
    n_neighbors = min(_NEIGHBORS, len(x) - 1)
    neighbors = np.zeros((len(x), 0), dtype=np.int64)
    if n_neighbors > 0:
        neighbors = nearest_neighbors(torch.from_numpy(np.ascontiguousarray(x)), n_neighbors).numpy().astype(np.int64)
    sizes = np.bincount(number, minlength=len(present))
    means = np.zeros((len(present), x.shape[1]))
    np.add.at(means, number, x)
    means[sizes == 0] = x.mean(axis=0) if len(x) else 0.0  # a cluster of held-out samples alone
    return join_groups(group_links(number, neighbors, len(present)), means / np.maximum(sizes, 1)[:, None], sizes)


def _split(
    x: NDArray[np.float32], own: NDArray[np.int64], present: NDArray[np.int64], seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[list[int]], list[float]]:
    """Split clusters into cells, the best supported split first, into at most twice as many cells as clusters, or 30.

    Returns:
        Cell of each row; cluster of each cell; the joins that undo the splits, the least supported one first; the
        support of each.
    """
    # Leaves are named by when they were made; a split gives two new names
    members = {int(k): np.flatnonzero(own == k) for k in present}
    cluster, parts = {i: int(k) for i, k in enumerate(present)}, dict.fromkeys(present.tolist(), 1)
    leaves = {i: members[int(k)] for i, k in enumerate(present)}
    waiting: list[tuple[float, int, Split]] = []

    def look(leaf: int, most: float) -> None:
        found = supported_split(x[leaves[leaf]], seed + leaf)
        if found is not None:
            heapq.heappush(waiting, (-min(found.support, most), leaf, found))

    for leaf in list(leaves):
        look(leaf, np.inf)
    done: list[tuple[int, int, int, float]] = []
    named, most_cells = len(leaves), max(2 * len(present), _MANY_CELLS)
    while waiting and len(leaves) < most_cells:
        negative, leaf, split = heapq.heappop(waiting)
        if parts[cluster[leaf]] >= _MOST_PARTS:
            continue
        rows = leaves.pop(leaf)
        for part in (0, 1):
            leaves[named + part], cluster[named + part] = rows[split.parts == part], cluster[leaf]
        parts[cluster[leaf]] += 1
        done.append((leaf, named, named + 1, -negative))
        named += 2
        if parts[cluster[leaf]] < _MOST_PARTS:
            for new in (named - 2, named - 1):
                look(new, -negative)  # a part of a part is no better supported than the part
    # Cells: leaves in the order of their clusters, the largest of a cluster first
    order = sorted(leaves, key=lambda leaf: (cluster[leaf], -len(leaves[leaf]), leaf))
    number = {leaf: i for i, leaf in enumerate(order)}
    cells = np.zeros(len(x), dtype=np.int64)
    for leaf, i in number.items():
        cells[leaves[leaf]] = i
    undone, support = [], []
    for step, (leaf, first, second, strength) in enumerate(reversed(done)):
        undone.append([number[first], number[second]])
        support.append(strength)
        number[leaf] = len(order) + step
    return cells, np.array([cluster[leaf] for leaf in order], dtype=np.int64), undone, support


def _numbers_of_clusters(
    undone: list[list[int]], cluster_of_cell: NDArray[np.int64], present: NDArray[np.int64]
) -> dict[int, int]:
    """Return the number in the tree of each cluster that is present, once all splits are undone."""
    top, cluster = {}, dict(enumerate(cluster_of_cell.tolist()))
    for step, (a, _) in enumerate(undone):
        cluster[len(cluster_of_cell) + step] = cluster[a]
    for node, k in cluster.items():  # the last node of a cluster is the whole of it
        top[k] = node
    return {i: top[int(k)] for i, k in enumerate(present)}


def _carry(
    predictions: Predictions, reduce: Callable[[NDArray[np.float32]], NDArray[np.float32]], rows: NDArray[np.int64],
    x: NDArray[np.float32], cells: NDArray[np.int64], cluster_of_cell: NDArray[np.int64],
) -> Partition:  # fmt: skip
    """Return the cell of every sample of each part: that of the nearest row x of its own cluster."""
    carried: Partition = {}
    first = {int(k): i for i, k in reversed(list(enumerate(cluster_of_cell)))}
    n_parts = np.bincount(cluster_of_cell) if len(cluster_of_cell) else np.zeros(0, dtype=np.int64)
    own = cluster_of_cell[cells] if len(cells) else cells
    for part, prediction in predictions.items():
        clusters = prediction.clusters.numpy()
        found = np.full(len(clusters), -1, dtype=np.int64)
        for k, cell in first.items():
            found[clusters == k] = cell
            if n_parts[k] > 1:
                among = np.flatnonzero(own == k)
                points = torch.from_numpy(np.ascontiguousarray(x[among]))
                members = np.flatnonzero(clusters == k)
                for some in np.array_split(members, -(-len(members) // _AT_ONCE)) if len(members) else []:
                    near = nearest_rows(torch.from_numpy(reduce(prediction.z.numpy()[some])), points, 1).numpy()[:, 0]
                    found[some] = cells[among[near]]
        if part == "fit" and len(rows):
            found[rows] = cells
        carried[part] = found
    return carried
