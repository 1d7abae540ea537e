"""Facets of pictures: a column for each, and three answers to every question."""

from __future__ import annotations

import numpy as np
import pytest

from deepcluster_pl.evaluation.facets import Facets, about


def test_a_kind_is_true_false_or_unsure():
    facets = Facets()
    facets.add_kind("made", {"fit": [0.9, 0.5], "holdout": [0.1, 0.804]}, {"fit": ["a", "b"], "holdout": ["c", "d"]})
    assert facets.columns == {"made": {"fit": ["0.90", "0.50"], "holdout": ["0.10", "0.80"]}}
    assert facets.chips == {"Kind": {"made": ["a", "d"], "natural": ["c"], "unsure": ["b"]}}


def test_faces_are_counted_and_doubtful_ones_are_unsure():
    facets = Facets()
    rows = {"a": [0.99, 1], "b": [0.98, 3], "c": [0.7, 0], "d": [0.2, 0]}
    facets.add_faces({name: np.array(row) for name, row in rows.items()}, {"fit": ["a", "b", "c", "d", "gone"]})
    assert facets.columns["faces"]["fit"] == ["1", "3", "0", "0", ""]
    assert facets.columns["face"]["fit"] == ["0.99", "0.98", "0.70", "0.20", ""]
    assert facets.chips["Faces"] == {"one face": ["a"], "several faces": ["b"], "no face": ["d"], "unsure": ["c"]}


def test_words_that_were_read_decide_whether_there_is_writing():
    facets = Facets()
    facets.add_kind("writing", {"fit": [0.9, 0.1]}, {"fit": ["a", "b"]})
    facets.add_words({"a": "No. -", "b": "TOTAL 12"}, {"fit": ["a", "b", "gone"]})
    assert facets.chips["Writing"] == {"with writing": ["b"], "without writing": ["a"]}
    assert facets.columns["words"]["fit"] == ["No. -", "TOTAL 12", ""]


def test_objects_that_several_pictures_show_are_answers():
    facets = Facets()
    objects = {"fit": ["tabby 0.62; tiger cat 0.21", "tabby 0.30"], "holdout": ["", "menu 0.90"]}
    facets.add_objects(objects, {"fit": ["a", "b"], "holdout": ["c", "d"]})
    assert facets.chips["Objects"] == {"tabby": ["a", "b"]}
    assert facets.lines({"fit": ["a", "b"], "holdout": ["c", "d"]}) == {
        "a": "tabby 0.62, tiger cat 0.21", "b": "tabby 0.30", "c": "", "d": "menu 0.90",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"made": "0.97", "writing": "0.80"}, "made 0.97 · with writing 0.80"),
        ({"made": "0.45", "writing": "0.20"}, "perhaps made 0.45 · without writing 0.80"),
        ({"face": "0.99", "faces": "1"}, "1 face 0.99"),
        ({"face": "0.70", "faces": "0"}, "perhaps a face 0.70"),
        ({"face": "0.20", "faces": "0", "words": "TOTAL 12"}, "no face 0.80 · it reads: TOTAL 12"),
        ({"face": "", "faces": "", "words": "", "objects": ""}, ""),
    ],
)
def test_what_is_known_is_said_in_plain_words(known, said):
    assert about(known) == said
