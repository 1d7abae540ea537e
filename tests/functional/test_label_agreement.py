"""Accuracy, purity and the contingency table agree with brute force, for labels of any type."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import numpy as np
import pytest

from deepcluster_pl.functional import clustering_accuracy, contingency, purity


def slow_accuracy(labels, clusters):
    """Try every one-to-one pairing of clusters with labels; a cluster beyond the last label pairs with nothing."""
    names, groups = sorted(set(labels)), sorted(set(clusters))
    places = range(max(len(names), len(groups)))
    best = 0
    for chosen in permutations(places, len(groups)):
        meaning = {group: names[place] for group, place in zip(groups, chosen, strict=True) if place < len(names)}
        best = max(best, sum(meaning.get(c) == y for y, c in zip(labels, clusters, strict=True)))
    return best / len(labels)


def slow_purity(labels, clusters):
    hits = 0
    for group in set(clusters):
        inside = Counter(y for y, c in zip(labels, clusters, strict=True) if c == group)
        hits += inside.most_common(1)[0][1]
    return hits / len(labels)


@pytest.mark.parametrize(("n_labels", "n_clusters"), [(4, 4), (5, 5), (3, 5), (5, 2), (1, 4), (4, 1)])
def test_accuracy_and_purity_agree_with_brute_force(n_labels, n_clusters):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        labels = rng.integers(n_labels, size=30).tolist()
        clusters = rng.integers(n_clusters, size=30).tolist()
        assert clustering_accuracy(labels, clusters) == pytest.approx(slow_accuracy(labels, clusters))
        assert purity(labels, clusters) == pytest.approx(slow_purity(labels, clusters))


def test_pairing_is_the_best_overall_not_the_best_first():
    labels = [0] * 9 + [1] * 4
    clusters = [0] * 5 + [1] * 4 + [0] * 4  # pairing 0 with 0 first, its largest count, would score only 5
    assert clustering_accuracy(labels, clusters) == pytest.approx(8 / 13)


def test_names_of_clusters_do_not_matter():
    rng = np.random.default_rng(0)
    labels, clusters = rng.integers(4, size=50), rng.integers(4, size=50)
    renamed = np.array([70, -3, 12, 5])[clusters]
    assert clustering_accuracy(labels, renamed) == clustering_accuracy(labels, clusters)


@pytest.mark.parametrize("rename", [str, float, "class {}".format, lambda label: label + 0.5])
def test_strings_and_floats_are_as_good_as_integers(rename):
    labels, clusters = [3, 3, 1, 1, 2, 2], [0, 0, 1, 2, 2, 2]
    renamed = [rename(label) for label in labels]
    assert clustering_accuracy(renamed, clusters) == clustering_accuracy(labels, clusters) == pytest.approx(5 / 6)
    assert purity(renamed, clusters) == purity(labels, clusters)


def test_one_cluster_per_sample_is_pure_and_yet_not_accurate():
    labels = [0, 0, 0, 1, 1, 1]
    assert purity(labels, range(6)) == 1
    assert clustering_accuracy(labels, range(6)) == pytest.approx(2 / 6)


def test_one_cluster_scores_the_most_frequent_label():
    labels = ["a", "b", "b", "c"]
    assert clustering_accuracy(labels, [0, 0, 0, 0]) == purity(labels, [0, 0, 0, 0]) == 0.5


def test_contingency_agrees_with_the_slow_count():
    rng = np.random.default_rng(1)
    labels, clusters = rng.choice(list("abc"), 40), rng.integers(5, size=40) * 10
    table = contingency(labels, clusters)
    pairs = Counter(zip(labels.tolist(), clusters.tolist(), strict=True))
    for i, label in enumerate(sorted(set(labels))):
        for j, cluster in enumerate(sorted(set(clusters))):
            assert table[i, j] == pairs[label, cluster]


@pytest.mark.parametrize("score", [clustering_accuracy, purity])
def test_no_samples_is_an_error_that_says_so(score):
    with pytest.raises(ValueError, match="at least one sample; found 0"):
        score([], [])
