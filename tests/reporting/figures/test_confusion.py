"""The drawn confusion matrix: counts beside their names, and none where there is no room."""

from __future__ import annotations

import numpy as np

from deepcluster_pl.reporting.confusion import confusion_of
from deepcluster_pl.reporting.figures import draw_confusion


def test_counts_are_written_beside_their_names():
    confusion = confusion_of(np.array(["a", "a", "b", "b", "b"]), np.array([7, 7, 3, 3, 7]))
    axes = draw_confusion(confusion, "Fitted samples").axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["7", "3"]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["a", "b"]
    written = {(text.get_position(), text.get_text()) for text in axes.texts}
    assert written == {((0, 0), "2"), ((0, 1), "1"), ((1, 1), "2")}


def test_hundreds_of_labels_are_shaded_without_numbers():
    labels = np.arange(300)
    axes = draw_confusion(confusion_of(labels, labels % 7), "Fitted samples").axes[0]
    assert axes.images[0].get_array().shape == (300, 7)
    assert len(axes.texts) == 0
