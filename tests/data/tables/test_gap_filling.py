"""Gaps are filled from the other columns: as a naive second version has it, each row alone, better than medians."""

from __future__ import annotations

import json

import numpy as np
import pytest

from deepcluster_pl.data.tables.gap_filling import GapFiller

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def table():
    hidden = RNG.normal(size=(400, 2))
    x = hidden @ RNG.normal(size=(2, 5)) * [1, 10, 100, 1, 1] + [0, 5, -30, 2, 1] + RNG.normal(size=(400, 5)) * 0.1
    is_gap = RNG.random((400, 5)) < 0.15
    return x, is_gap


def test_each_gap_is_the_conditional_mean_of_its_row(table):
    x, is_gap = table
    filler = GapFiller.fit(np.where(is_gap, 0, x), is_gap)
    filled = filler.fill(np.where(is_gap, 0, x), is_gap)
    for row in range(40):
        gaps, known = np.flatnonzero(is_gap[row]), np.flatnonzero(~is_gap[row])
        z = [(x[row, j] - filler.mean[j]) / filler.spread[j] for j in known]
        weights = np.linalg.inv(filler.covariance[known][:, known]) @ z
        expected = [filler.mean[g] + filler.spread[g] * (filler.covariance[g, known] @ weights) for g in gaps]
        np.testing.assert_allclose(filled[row, gaps], expected)
        np.testing.assert_array_equal(filled[row, known], x[row, known])


def test_gaps_are_nearer_to_the_truth_than_medians_are(table):
    x, is_gap = table
    filled = GapFiller.fit(np.where(is_gap, 0, x), is_gap).fill(np.where(is_gap, 0, x), is_gap)
    for j in range(5):
        error = np.abs(filled[is_gap[:, j], j] - x[is_gap[:, j], j]).mean()
        assert error < 0.5 * np.abs(np.median(x[~is_gap[:, j], j]) - x[is_gap[:, j], j]).mean()


def test_rows_are_filled_alone_also_after_it_was_stored(table):
    x, is_gap = table
    filler = GapFiller.fit(np.where(is_gap, 0, x), is_gap)
    stored = GapFiller.from_json(json.loads(json.dumps(filler.to_json())))
    whole = filler.fill(x, is_gap)
    np.testing.assert_allclose(stored.fill(x[7:9], is_gap[7:9]), whole[7:9])


def test_rows_of_nothing_but_gaps_and_constants_are_filled_with_means():
    x = np.column_stack([np.ones(60), RNG.normal(size=60)])
    is_gap = np.zeros((60, 2), dtype=bool)
    is_gap[3] = True
    filled = GapFiller.fit(x, is_gap).fill(x, is_gap)
    np.testing.assert_allclose(filled[3], [1, np.delete(x[:, 1], 3).mean()], atol=1e-6)
