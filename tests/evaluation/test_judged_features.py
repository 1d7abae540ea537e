"""Features that partitions are judged by: tables as they are, images with their edges beside their pixels."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from deepcluster_pl.data.sources.tabular import ArrayData
from deepcluster_pl.evaluation.judged_features import judged_features
from deepcluster_pl.evaluation.label_free import neighborhood


@pytest.fixture
def source(tmp_path, common):
    def make(x):
        np.save(tmp_path / "x.npy", x.astype(np.float32))
        data = ArrayData(str(tmp_path / "x.npy"), None, None, None, **common(scale="none", holdout=0.0))
        data.setup()
        return data

    return make


def test_rows_of_a_table_stay_as_they_are(source):
    data, rows = source(np.random.default_rng(0).normal(size=(30, 5))), np.arange(3, 20)
    np.testing.assert_array_equal(judged_features(data, rows), data.prepared("fit", rows))


def test_pixels_and_edges_of_images_weigh_alike_and_constant_images_are_no_problem(source):
    images = load_digits().images[:200] / 16
    found = judged_features(source(images), np.arange(200))
    assert found[:, :64].var(axis=0).sum() == pytest.approx(1, rel=1e-4)
    assert found[:, 64:].var(axis=0).sum() == pytest.approx(1, rel=1e-4)
    assert np.isfinite(judged_features(source(np.ones((20, 8, 8))), np.arange(20))).all()


def test_neighbors_of_digits_are_of_the_same_kind_more_often_than_by_pixels(source):
    digits = load_digits()
    data = source(digits.images / 16)

    def purity(features):
        near = neighborhood(features, len(digits.target), seed=0)
        return float((digits.target[near.rows][near.neighbors] == digits.target[near.rows][:, None]).mean())

    both = purity(lambda rows: judged_features(data, rows))
    assert both > purity(lambda rows: data.prepared("fit", rows))
