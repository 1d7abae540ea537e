"""Modularity is the share of edges within communities, less the share that the degrees let expect."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from deepcluster_pl.functional.communities import modularities


def naive(weights, labels):
    """Go over all pairs of samples."""
    degrees, total = weights.sum(axis=1), weights.sum()
    pairs = [(i, j) for i in range(len(labels)) for j in range(len(labels)) if labels[i] == labels[j]]
    return sum(weights[i, j] / total - degrees[i] * degrees[j] / total**2 for i, j in pairs)


def test_it_is_that_of_all_pairs_and_falls_where_a_community_is_cut():
    draw = np.random.default_rng(0)
    weights = np.kron(np.eye(3), np.ones((4, 4))) + 0.2 * draw.random((12, 12))
    weights += weights.T
    np.fill_diagonal(weights, 0)
    right = np.repeat([0, 1, 2], 4)
    partitions = {2: np.minimum(right, 1), 3: right, 4: np.where(np.arange(12) < 2, 3, right)}
    found = modularities(sparse.csr_matrix(weights), partitions)
    assert found == {k: pytest.approx(naive(weights, labels)) for k, labels in partitions.items()}
    assert max(found, key=lambda k: found[k]) == 3
