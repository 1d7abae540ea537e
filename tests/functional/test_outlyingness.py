"""Outlyingness: the same as a loop over samples, whatever the unit, and fair to sparse groups."""

from __future__ import annotations

import statistics

import numpy as np
import pytest

from deepcluster_pl.functional.outlyingness import explained_shares, outlyingness, usual_spacing


def scored(distances, clusters, explained):
    return outlyingness(distances, clusters, usual_spacing(distances, clusters, np.asarray(explained)))


def slow_scores(distances, clusters, explained):
    def facts(values):
        middle = statistics.median(values)
        deviation = statistics.median(abs(v - middle) for v in values)
        upper = statistics.quantiles(values, n=4, method="inclusive")[2] - middle
        return middle, max(deviation / 0.6745, upper / 0.6745, 0.02)

    logs = [np.log(d) for d in distances]
    own = {k: facts([v for v, c in zip(logs, clusters, strict=True) if c == k]) for k in set(clusters)}
    found = []
    for value, k in zip(logs, clusters, strict=True):
        score = (value - own[k][0]) / own[k][1]
        if explained[k] < 0.2:
            others = [own[j] for j in own if j != k and explained[j] >= 0.2]
            middle = statistics.median(m for m, _ in others)
            between = statistics.median(abs(m - middle) for m, _ in others) / 0.6745
            score = max(score, (value - middle) / max(statistics.median(s for _, s in others), between))
        found.append(score)
    return found


def test_it_agrees_with_a_loop_over_samples():
    random = np.random.default_rng(0)
    clusters = np.repeat(np.arange(4), 30)
    distances = np.exp(random.normal(size=120) / 3 + clusters)
    explained = [0.5, 0.3, 0.05, 0.9]
    expected = slow_scores(distances.tolist(), clusters.tolist(), explained)
    assert scored(distances, clusters, explained) == pytest.approx(expected)


def test_a_sparse_group_is_no_outlier_and_the_unit_does_not_matter():
    random = np.random.default_rng(1)
    clusters = np.repeat([0, 1], 200)
    distances = np.exp(random.normal(size=400) / 4) * np.where(clusters == 1, 50, 1)
    scores = scored(distances, clusters, [0.6, 0.6])
    assert scores.max() < 4
    assert scored(1000 * distances, clusters, [0.6, 0.6]) == pytest.approx(scores)


def test_a_group_that_explains_nothing_is_measured_by_the_others():
    random = np.random.default_rng(2)
    clusters = np.repeat([0, 1, 2], 100)
    distances = np.exp(random.normal(size=300) / 20) * np.where(clusters == 2, 1.5, 1)
    assert (scored(distances, clusters, [0.5, 0.5, 0.5]) > 4).sum() == 0
    assert ((scored(distances, clusters, [0.5, 0.5, 0.0]) > 4) == (clusters == 2)).all()


def test_samples_with_twins_only_and_clusters_without_samples_are_no_outliers():
    distances, clusters = np.array([0.0, 0.0, 1.0, 2.0]), np.array([0, 0, 2, 2])
    scores = scored(distances, clusters, [0.5, 0.0, 0.5])
    assert (scores[:2] == -np.inf).all()
    assert np.isfinite(scores[2:]).all()
    assert (scored(np.zeros(3), np.zeros(3, dtype=int), [0.0]) == -np.inf).all()


def test_the_explained_share_is_that_of_sums_of_squares():
    random = np.random.default_rng(3)
    x, clusters = random.normal(size=(50, 3)) + 5, random.integers(0, 3, 50)
    x[clusters == 1] += 4
    for k, share in enumerate(explained_shares(x, clusters, 4)[:3]):
        own = x[clusters == k]
        total = np.square(own - x.mean(axis=0)).sum()
        assert share == pytest.approx(1 - np.square(own - own.mean(axis=0)).sum() / total)
