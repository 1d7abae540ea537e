"""What the confusion matrix shows: every sample once, the best pairing on the diagonal."""

from __future__ import annotations

import numpy as np
import pytest

from deepcluster_pl.functional import clustering_accuracy, contingency
from deepcluster_pl.reporting.figures.confusion import confusion_matrix, paired_columns


@pytest.mark.parametrize(("n_labels", "n_clusters"), [(4, 4), (3, 6), (6, 3)])
def test_the_diagonal_holds_the_samples_that_accuracy_counts(n_labels, n_clusters):
    rng = np.random.default_rng(0)
    labels, clusters = rng.integers(0, n_labels, 300), rng.integers(0, n_clusters, 300)
    table = contingency(labels, clusters)
    order = paired_columns(table)
    assert sorted(order) == list(range(n_clusters))
    if n_labels <= n_clusters:
        assert np.trace(table[:, order]) / 300 == pytest.approx(clustering_accuracy(labels, clusters))


def test_counts_are_written_beside_their_names():
    figure = confusion_matrix(np.array(["a", "a", "b", "b", "b"]), np.array([7, 7, 3, 3, 7]), "Fitted samples")
    axes = figure.axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["7", "3"]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["a", "b"]
    written = {(text.get_position(), text.get_text()) for text in axes.texts}
    assert written == {((0, 0), "2"), ((0, 1), "1"), ((1, 1), "2")}


def test_hundreds_of_labels_are_shaded_without_numbers():
    labels = np.arange(300)
    assert len(confusion_matrix(labels, labels % 7, "Fitted samples").axes[0].texts) == 0
