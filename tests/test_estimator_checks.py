"""scikit-learn's own checks of an estimator; none is expected to fail."""

from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from deepcluster_pl import DeepClustering

FEW = ("pretrain.max_epochs=3", "fit.max_steps=20", "net.dims=[32,4]")


@parametrize_with_checks([
    DeepClustering("dec", overrides=FEW), DeepClustering("idec", overrides=FEW), DeepClustering("gmm"),
])  # fmt: skip
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([DeepClustering()])
def test_scikit_learn_checks_of_the_default(estimator, check):
    check(estimator)
