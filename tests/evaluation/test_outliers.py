"""Samples in no group: noise is found, groups are left alone, and a share takes exactly as many."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_blobs

from deepcluster_pl.data.samples import Table
from deepcluster_pl.data.sources.tabular import ArrayData
from deepcluster_pl.evaluation import outliers
from deepcluster_pl.evaluation.outliers import find_outliers
from scripts.benchmarks.embeddings import embeddings


@pytest.fixture
def as_data(common):
    def make(x, **options):
        data = ArrayData(None, None, None, None, **common(**options))
        data.take_over(Table(x, range(len(x))))
        data.setup()
        return data

    return make


@pytest.fixture(scope="module")
def noisy():
    """Four blobs of 100 samples, and 20 samples that are anywhere."""
    x, groups = make_blobs(400, n_features=6, centers=4, random_state=0)
    noise = np.random.default_rng(0).uniform(x.min(axis=0), x.max(axis=0), size=(20, 6))
    centers = np.stack([x[groups == k].mean(axis=0) for k in range(4)])
    x = np.concatenate([x, noise])
    return x, np.square(x[:, None] - centers).sum(axis=2).argmin(axis=1), np.arange(420) >= 400


def test_noise_between_groups_is_found_and_groups_are_left_alone(as_data, noisy):
    x, clusters, is_noise = noisy
    found = find_outliers(as_data(x), {"fit": clusters}, 4, "auto", 0).flagged["fit"]
    assert found[is_noise].mean() >= 0.9
    assert found[~is_noise].mean() <= 0.01
    x, labels = load_iris(return_X_y=True)
    assert find_outliers(as_data(x, scale="standard"), {"fit": labels}, 3, "auto", 0).number("fit") <= 2


def test_noise_that_fills_a_group_of_its_own_is_in_no_group(as_data):
    x, groups = embeddings(1500, 96, 4, 0.06, seed=0)
    data, clusters = as_data(x), np.where(groups < 0, 4, groups)
    found = find_outliers(data, {"fit": clusters}, 5, "auto", 0)
    assert (found.flagged["fit"] == (groups < 0)).all()


def test_a_share_takes_as_many_of_the_most_outlying(as_data, noisy):
    x, clusters, is_noise = noisy
    found = find_outliers(as_data(x), {"fit": clusters}, 4, 20 / 420, 0)
    assert found.number("fit") == 20
    assert found.flagged["fit"][is_noise].mean() >= 0.9
    assert find_outliers(as_data(x), {"fit": clusters}, 4, 0.0001, 0).number("fit") == 0


def test_many_samples_are_measured_beside_a_sample_of_them(as_data, noisy, monkeypatch):
    x, clusters, _ = noisy
    whole = find_outliers(as_data(x), {"fit": clusters}, 4, "auto", 0).flagged["fit"]
    monkeypatch.setattr(outliers, "_MOST_ROWS", 210)
    sampled = find_outliers(as_data(x), {"fit": clusters}, 4, "auto", 0)
    assert sampled.n_rows == 210
    assert (sampled.flagged["fit"] == whole).mean() >= 0.99


def test_held_out_samples_are_measured_by_what_is_usual_among_fitted_ones(as_data, noisy):
    x, clusters, is_noise = noisy
    data = as_data(x, holdout=0.5)
    rows = {name: np.array(data.part(name).ids, dtype=int) for name in ("fit", "holdout")}
    found = find_outliers(data, {name: clusters[own] for name, own in rows.items()}, 4, "auto", 0)
    for name, own in rows.items():
        assert found.flagged[name][is_noise[own]].mean() >= 0.8
        assert found.flagged[name][~is_noise[own]].mean() <= 0.02
