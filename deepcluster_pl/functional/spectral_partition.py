"""Partition of a graph of neighbors by its spectrum: groups that few edges leave, however long or bent they are."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import eigh, qr, svd
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

_DENSE_ROWS = 400


def symmetric_graph(neighbors: NDArray[np.integer]) -> sp.csr_array:
    """Return the weights (N, N) of a graph of neighbors: 1 for a mutual pair, 1/2 for one that goes one way.

    Args:
        neighbors: row numbers (N, n) of each sample's neighbors.

    Returns:
        A symmetric sparse matrix.

    >>> symmetric_graph(np.array([[1], [0], [1]])).toarray().tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.5], [0.0, 0.5, 0.0]]
    """
    n, width = neighbors.shape
    indptr = np.arange(0, n * width + 1, width, dtype=np.int32)
    directed = sp.csr_array((np.full(n * width, 0.5), neighbors.reshape(-1).astype(np.int32), indptr), shape=(n, n))
    return (directed + directed.T).tocsr()


def spectral_partition(
    graph: sp.csr_array, n_clusters: int, regularization: float, random_state: int
) -> NDArray[np.int64]:
    """Cut a graph into groups with few edges between them.

    The normalized cut is relaxed to eigenvectors of the normalized graph (Shi, Malik 2000). Before, every pair of
    samples gets a weak edge, `regularization` times the mean degree in total for each sample (Amini and others 2013).
    Without it, a few stray samples that hardly touch the rest are the cheapest cut and take a cluster of their own
    (Zhang, Rohe 2018); and a graph in pieces has no single solution. Clusters are read off the eigenvectors by pivoted
    QR, which is deterministic and needs no restarts (Damle, Minden, Ying 2019).

    Args:
        graph: symmetric weights (N, N), none negative.
        n_clusters: K, at most N.
        regularization: weight of the edges between all pairs, in mean degrees; 0 leaves them out.
        random_state: decides the first vector of the eigenvalue iteration.

    Returns:
        Cluster (N,) of each sample.

    Raises:
        ValueError: the eigenvalue iteration does not converge.

    >>> first, second, *others = spectral_partition(symmetric_graph(np.array([[1], [0], [3], [2]])), 2, 0.5, 0)
    >>> bool(first == second), [bool(other == first) for other in others]
    (True, [False, False])
    """
    if n_clusters == 1:
        return np.zeros(graph.shape[0], dtype=np.int64)
    return _clusters_of(spectral_vectors(graph, n_clusters, regularization, random_state))


def spectral_vectors(
    graph: sp.csr_array, n_vectors: int, regularization: float, random_state: int
) -> NDArray[np.float64]:
    """Compute the vectors that `spectral_partition` reads clusters off.

    Args:
        graph: symmetric weights (N, N), none negative.
        n_vectors: their number M, at most N.
        regularization: weight of the edges between all pairs, in mean degrees; 0 leaves them out.
        random_state: decides the first vector of the eigenvalue iteration.

    Returns:
        Vectors (N, M) that are nearly constant where samples have many links, the smoothest one last.

    Raises:
        ValueError: the eigenvalue iteration does not converge.
    """
    n, n_clusters = graph.shape[0], n_vectors
    # Degrees, the weak edges included, and the graph normalized by them
    degrees = np.asarray(graph.sum(axis=1)).reshape(-1)
    extra = regularization * degrees.mean()
    scale = 1 / np.sqrt(np.maximum(degrees + extra, np.finfo(float).tiny))
    normalized = sp.diags_array(scale) @ graph @ sp.diags_array(scale)
    # The largest eigenvectors; the weak edges are a product of two vectors, which is never written out
    if n <= max(_DENSE_ROWS, 4 * n_clusters):
        matrix = normalized.toarray() + extra / n * np.outer(scale, scale)
        vectors = eigh(matrix, subset_by_index=[n - n_clusters, n - 1])[1]
    else:
        operator = LinearOperator(
            (n, n), matvec=lambda v: normalized @ v.ravel() + extra / n * scale * (scale @ v.ravel()), dtype=np.float64
        )
        first = np.random.default_rng(random_state).uniform(-1, 1, n)
        try:
            vectors = eigsh(operator, k=n_clusters, which="LA", v0=first)[1]
        except ArpackNoConvergence as error:
            raise ValueError(
                f"the graph of {n:,} samples could not be cut into {n_clusters} clusters, because its eigenvectors did "
                f"not converge; type fewer n_clusters, a larger start.regularization, or start=kmeans"
            ) from error
    return np.asarray(vectors * scale[:, None])


def _clusters_of(vectors: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the cluster (N,) of each row: K rows that differ most are pivots, and vectors turn towards them."""
    k = vectors.shape[1]
    pivots = qr(vectors.T, pivoting=True, mode="r")[1][:k]
    left, _, right = svd(vectors[pivots].T)
    clusters: NDArray[np.int64] = np.abs(vectors @ (left @ right)).argmax(axis=1).astype(np.int64)
    return clusters
