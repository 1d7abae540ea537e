"""scikit-learn's own checks of an estimator; none is expected to fail."""

from __future__ import annotations

import os

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from deepcluster_pl import DeepClustering

FEW = ("pretrain.max_epochs=3", "fit.max_steps=20", "net.dims=[32,4]")
LENGTH_MATTERS = {
    "check_clustering", "check_fit_idempotent", "check_methods_subset_invariance", "check_fit2d_1sample",
    "check_parameters_default_constructible",
}  # fmt: skip
"""Checks that a net of full size, trained in full length, may pass where a short one does not, or the other way."""
ALL = bool(os.environ.get("DEEPCLUSTER_ALL_CHECKS"))


def name_of(check):
    return getattr(check, "func", check).__name__


@parametrize_with_checks([
    DeepClustering("dec", 8, overrides=FEW), DeepClustering("idec", 8, overrides=FEW), DeepClustering("gmm", 8),
])  # fmt: skip
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("estimator", "check"),
    [pair for pair in estimator_checks_generator(DeepClustering()) if ALL or name_of(pair[1]) in LENGTH_MATTERS],
    ids=lambda value: name_of(value) if callable(value) else "default",
)
def test_scikit_learn_checks_of_the_default(estimator, check):
    check(estimator)
