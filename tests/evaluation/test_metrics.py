"""Scores are scikit-learn's numbers, null where a number would mean nothing, and never crash."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from sklearn.metrics import (
    adjusted_rand_score,
    davies_bouldin_score,
    mutual_info_score,
    normalized_mutual_info_score,
    silhouette_score,
)

from deepcluster_pl.evaluation.metrics import LABEL_SCORES, known_labels, label_scores, separation_scores, size_scores

CLUSTERS = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 2])
LABELS = np.array([3, 3, 5, 5, 5, 5, 9, 9, 3, 5])


def entropy(values):
    shares = np.unique(values, return_counts=True)[1] / len(values)
    return -sum(share * math.log(share) for share in shares)


def test_label_scores_are_the_textbooks():
    scores = label_scores(LABELS, CLUSTERS)
    shared = mutual_info_score(LABELS, CLUSTERS)
    means = (entropy(LABELS) + entropy(CLUSTERS)) / 2, math.sqrt(entropy(LABELS) * entropy(CLUSTERS))
    assert set(scores) == set(LABEL_SCORES)
    assert scores["acc"] == scores["purity"] == pytest.approx(0.7)
    assert scores["nmi"] == pytest.approx(shared / means[0])
    assert scores["nmi_geometric"] == pytest.approx(shared / means[1])
    assert scores["nmi_geometric"] > scores["nmi"]
    assert scores["ari"] == pytest.approx(adjusted_rand_score(LABELS, CLUSTERS))
    assert scores["nmi"] == pytest.approx(normalized_mutual_info_score(LABELS, CLUSTERS))


@pytest.mark.parametrize("convert", [np.float64, np.float32, np.int8, np.uint8, str, object])
def test_labels_of_any_type_score_the_same(convert):
    assert label_scores(LABELS.astype(convert), CLUSTERS) == label_scores(LABELS, CLUSTERS)


@pytest.mark.parametrize(
    "missing",
    [(int, -1), (float, -1.0), (float, np.nan), (str, ""), (str, "-1"), (str, "nan"), (object, None), (object, np.nan)],
    ids=str,
)
def test_samples_without_a_label_are_left_out(missing):
    dtype, value = missing
    labels = LABELS.astype(dtype)
    unknown = [1, 4, 8]
    labels[unknown] = value
    known = np.setdiff1d(np.arange(10), unknown)
    assert np.flatnonzero(known_labels(labels)).tolist() == known.tolist()
    assert label_scores(labels, CLUSTERS) == label_scores(LABELS[known], CLUSTERS[known])


@pytest.mark.parametrize("labels", [None, np.full(10, -1), np.full(10, np.nan), np.full(10, ""), np.full(10, None)])
def test_no_label_at_all_gives_nulls(labels):
    assert label_scores(labels, CLUSTERS) == dict.fromkeys(LABEL_SCORES)


def test_one_class_is_scored_without_a_crash():
    scores = label_scores(np.full(10, 7), CLUSTERS)
    assert scores["acc"] == 0.4
    assert scores["nmi"] == scores["nmi_geometric"] == scores["ari"] == 0
    assert set(label_scores(np.full(10, 7), np.zeros(10, dtype=int)).values()) == {1.0}


def test_scores_run_from_a_collapse_to_a_perfect_match():
    assert set(label_scores(LABELS, LABELS + 1).values()) == {1.0}
    collapsed = label_scores(LABELS, np.zeros(10, dtype=int))
    assert (collapsed["nmi"], collapsed["ari"], collapsed["acc"]) == (0, 0, 0.5)


def test_sizes_count_empty_clusters_and_tell_a_collapse():
    assert size_scores(CLUSTERS, 4)["cluster_sizes"] == [3, 3, 4, 0]
    assert size_scores(CLUSTERS, 4)["collapsed"] is False
    assert size_scores(CLUSTERS, 6)["collapsed"] is True
    assert [size_scores(CLUSTERS, k)["n_empty"] for k in (3, 4, 6)] == [0, 1, 3]
    assert size_scores(np.zeros(10, dtype=int), 1) == {
        "cluster_sizes": [10], "size_entropy": 1.0, "n_empty": 0, "collapsed": False,
    }  # fmt: skip


def test_separation_is_scikit_learns():
    x = np.random.default_rng(0).normal(size=(10, 3)) + CLUSTERS[:, None]
    assert separation_scores(x, CLUSTERS) == {
        "silhouette": pytest.approx(silhouette_score(x, CLUSTERS)),
        "davies_bouldin": pytest.approx(davies_bouldin_score(x, CLUSTERS)),
    }


@pytest.mark.parametrize("clusters", [np.zeros(10, dtype=int), np.arange(10), np.zeros(1, dtype=int)])
def test_separation_is_null_where_it_is_not_defined(clusters):
    x = np.random.default_rng(0).normal(size=(len(clusters), 3))
    assert separation_scores(x, clusters) == {"silhouette": None, "davies_bouldin": None}


def test_identical_points_are_scored_finitely_and_quietly():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = separation_scores(np.ones((10, 2)), CLUSTERS)
    assert all(np.isfinite(score) for score in scores.values())
