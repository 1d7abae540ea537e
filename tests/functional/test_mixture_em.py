"""Expectation and maximization beside scikit-learn's, from the same partition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.mixture import GaussianMixture

from deepcluster_pl.functional.mixture_em import fit_mixture


class FromLabels(GaussianMixture):
    """scikit-learn's mixture, from a partition instead of its own k-means."""

    def _initialize_parameters(self, X, random_state, **_):
        self._initialize(X, np.eye(self.n_components)[self.first])


@pytest.mark.parametrize("covariance_type", ["full", "diag"])
def test_every_iteration_is_that_of_scikit_learn(covariance_type):
    x, first = load_iris().data, np.arange(150) // 38
    theirs = FromLabels(4, covariance_type=covariance_type, reg_covar=1e-4, max_iter=200, tol=1e-3)
    theirs.first = first
    theirs.fit(x)
    points = torch.from_numpy(x)
    ours = fit_mixture(points, torch.from_numpy(first), 4, covariance_type == "diag", 1e-4, 200, 1e-3)
    assert (ours.n_iter, ours.converged) == (theirs.n_iter_, theirs.converged_)
    assert ours.log_likelihood == pytest.approx(theirs.lower_bound_, abs=1e-9)
    for name in ("weights", "means", "covariances", "precisions_cholesky"):
        assert np.allclose(getattr(ours, name).numpy(), getattr(theirs, f"{name}_"), atol=1e-7), name


def test_a_covariance_that_is_not_positive_definite_is_an_error():
    x = torch.zeros(10, 2, dtype=torch.float64)
    for diagonal in (True, False):
        with pytest.raises(ValueError, match=r"larger start\.reg_covar"):
            fit_mixture(x, torch.arange(10) % 2, 2, diagonal, 0.0, 10, 1e-3)
