"""Facets of pictures: a column for each, and three answers to every question."""

from __future__ import annotations

from deepcluster_pl.evaluation.facets import Facets


def test_a_kind_is_true_false_or_unsure():
    facets = Facets()
    facets.add_kind("made", {"fit": [0.9, 0.5], "holdout": [0.1, 0.804]}, {"fit": ["a", "b"], "holdout": ["c", "d"]})
    assert facets.columns == {"made": {"fit": ["0.90", "0.50"], "holdout": ["0.10", "0.80"]}}
    assert facets.chips == {"Kind": {"made": ["a", "d"], "natural": ["c"], "unsure": ["b"]}}
