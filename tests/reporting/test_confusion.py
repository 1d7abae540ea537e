"""Counts of labels in clusters: every sample once, the best pairing on the diagonal."""

from __future__ import annotations

import numpy as np
import pytest

from deepcluster_pl.functional import clustering_accuracy
from deepcluster_pl.reporting.confusion import confusion_of


@pytest.mark.parametrize(("n_labels", "n_clusters"), [(4, 4), (3, 6), (6, 3)])
def test_every_sample_is_counted_once_in_its_own_cell(n_labels, n_clusters):
    rng = np.random.default_rng(0)
    labels, clusters = rng.integers(0, n_labels, 300), rng.integers(0, n_clusters, 300)
    confusion = confusion_of(labels, clusters)
    assert sorted(confusion.clusters) == list(range(n_clusters))
    for row, label in enumerate(confusion.labels):
        for column, cluster in enumerate(confusion.clusters):
            pairs = zip(labels, clusters, strict=True)
            assert confusion.counts[row, column] == sum((str(a), b) == (label, cluster) for a, b in pairs)
    np.testing.assert_allclose(confusion.shares.sum(axis=1), 1)


@pytest.mark.parametrize(("n_labels", "n_clusters"), [(4, 4), (3, 6)])
def test_the_diagonal_holds_the_samples_that_accuracy_counts(n_labels, n_clusters):
    rng = np.random.default_rng(0)
    labels, clusters = rng.integers(0, n_labels, 300), rng.integers(0, n_clusters, 300)
    diagonal = np.trace(confusion_of(labels, clusters).counts)
    assert diagonal / 300 == pytest.approx(clustering_accuracy(labels, clusters))


def test_the_clusters_that_accuracy_pairs_come_first_where_labels_are_more():
    rng = np.random.default_rng(0)
    labels, clusters = rng.integers(0, 6, 300), rng.integers(0, 3, 300)
    counts = confusion_of(labels, clusters).counts
    # Three of six labels are paired, in the order of the labels: some increasing choice of rows is the pairing
    paired = max(
        counts[i, 0] + counts[j, 1] + counts[k, 2] for i in range(6) for j in range(i + 1, 6) for k in range(j + 1, 6)
    )
    assert paired / 300 == pytest.approx(clustering_accuracy(labels, clusters))
