"""Scaling: measured on the fitted part, the same for any chunk, harmless for constants."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from deepcluster_pl.data.samples import Part, Table
from deepcluster_pl.data.scaling import Scaling, fit_scaling
from deepcluster_pl.data.sources.tabular import ArrayData

SCALERS = {"unit": MinMaxScaler, "standard": StandardScaler}


def part_of(x):
    return Part(Table(x, range(len(x))), np.arange(len(x)))


@pytest.fixture
def x():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(50, 4)) * [1, 100, 0.01, 3] + [0, -50, 7, 1e4]).astype(np.float32)


@pytest.mark.parametrize("rows_at_once", [1, 7, 50, 1000])
@pytest.mark.parametrize("scale", ["unit", "standard"])
def test_scaling_agrees_with_scikit_learn_whatever_the_chunk(x, scale, rows_at_once):
    expected = SCALERS[scale]().fit_transform(x.astype(np.float64))
    found = fit_scaling(scale, part_of(x), rows_at_once).apply(x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_none_changes_nothing(x):
    np.testing.assert_array_equal(fit_scaling("none", part_of(x), 10).apply(x), x)


@pytest.mark.parametrize("scale", ["unit", "standard"])
def test_constant_features_become_zero(scale):
    x = np.full((100, 3), [0.1, 0.0, 1e30], dtype=np.float32)
    assert np.array_equal(fit_scaling(scale, part_of(x), 7).apply(x), np.zeros((100, 3)))


@pytest.mark.parametrize("scale", ["unit", "standard"])
def test_feature_constant_in_the_fitted_part_does_not_blow_up_elsewhere(scale):
    scaling = fit_scaling(scale, part_of(np.full((1001, 1), 0.1, dtype=np.float32)), 64)
    assert abs(scaling.apply(np.full((1, 1), 1.1, dtype=np.float32)).item()) == pytest.approx(1)


@pytest.mark.parametrize("scale", ["none", "unit", "standard"])
def test_bytes_are_divided_by_255_first(scale):
    x = np.random.default_rng(0).integers(256, size=(30, 2, 3), dtype=np.uint8)
    as_floats = (x / 255).astype(np.float32)
    scaling = fit_scaling(scale, part_of(x), 8)
    assert scaling.shift.shape == scaling.factor.shape == (() if scale == "none" else (2, 3))
    np.testing.assert_allclose(scaling.apply(x), fit_scaling(scale, part_of(as_floats), 8).apply(as_floats), atol=1e-5)


def test_mean_of_many_large_values_is_not_lost_to_rounding():
    x = np.float32(1e4) + np.tile(np.float32([[0], [1]]), (20_000, 1))
    scaled = fit_scaling("standard", part_of(x), 64).apply(x)
    np.testing.assert_allclose(np.unique(scaled), [-1, 1], atol=1e-2)


@pytest.mark.parametrize("scale", ["unit", "standard"])
def test_held_out_samples_are_never_measured(tmp_path, common, x, scale):
    with_outlier = x.copy()
    with_outlier[40:] = 1e6
    scalings = []
    for number, values in enumerate((x, with_outlier)):
        np.save(tmp_path / f"{number}.npy", values)
        data = ArrayData(
            str(tmp_path / f"{number}.npy"), None, None, None, **common(scale=scale, holdout=0.2, split="order")
        )
        data.setup()
        scalings.append(data.scaling)
        np.testing.assert_array_equal(data.prepared("holdout"), data.scaling.apply(values[40:]))
    np.testing.assert_array_equal(scalings[0].shift, scalings[1].shift)
    np.testing.assert_array_equal(scalings[0].factor, scalings[1].factor)
    np.testing.assert_allclose(scalings[0].apply(x[:40]), SCALERS[scale]().fit_transform(x[:40]), atol=1e-3)


def test_fresh_scaling_is_the_identity():
    assert Scaling().apply(np.array([[3.5, -1]])).tolist() == [[3.5, -1]]


def test_auto_scales_columns_of_any_unit_and_leaves_those_that_are_scaled_already(x):
    draw = np.random.default_rng(1)
    one_hot = np.eye(3, dtype=np.float32)[draw.integers(3, size=50)]
    scaled = StandardScaler().fit_transform(draw.normal(size=(50, 2))).astype(np.float32)
    everything = np.concatenate([x, one_hot, scaled, np.ones((50, 1), np.float32)], axis=1)
    found = fit_scaling("auto", part_of(everything), 7)
    assert found.remark == "left as they are: 3 of zeros and ones and 2 of mean 0 and variance 1, of 10 columns"
    out = found.apply(everything)
    np.testing.assert_array_equal(out[:, 4:9], everything[:, 4:9])
    np.testing.assert_array_equal(out[:, :4], fit_scaling("standard", part_of(x), 7).apply(x))
    assert not out[:, 9].any()  # a constant


def test_auto_leaves_rows_of_length_one():
    rows = np.random.default_rng(0).normal(size=(40, 32)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = fit_scaling("auto", part_of(rows), 7)
    assert found.remark == "rows have length 1 and are left as they are"
    np.testing.assert_array_equal(found.apply(rows), rows)
