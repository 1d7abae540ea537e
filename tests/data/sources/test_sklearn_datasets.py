"""Datasets that ship with scikit-learn, as this package reads them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

from deepcluster_pl.data.sources.sklearn_datasets import SklearnDataset


def test_digits_are_images_from_zero_to_one(common):
    data = SklearnDataset("digits", **common())
    data.setup()
    fit = data.part("fit")
    np.testing.assert_array_equal(fit.load_all(), (load_digits().data / 16).reshape(-1, 8, 8).astype(np.float32))
    assert fit.load_all().max() == 1.0
    assert len(set(fit.labels.tolist())) == 10


@pytest.mark.parametrize(("name", "loader"), [("wine", load_wine), ("breast_cancer", load_breast_cancer)])
def test_tables_are_their_measurements_and_labels(name, loader, common):
    data = SklearnDataset(name, **common(scale="standard"))
    data.setup()
    x, y = loader(return_X_y=True)
    expected = (x - x.mean(axis=0)) / x.std(axis=0)
    np.testing.assert_allclose(data.prepared("fit"), expected, atol=2e-4)
    np.testing.assert_array_equal(data.part("fit").labels, y)
