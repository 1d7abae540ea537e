"""A whitened initialization has round groups, the labels and posteriors it had, and a map the net can take over."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.cluster import DBSCAN, KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from deepcluster_pl.errors import UserError
from deepcluster_pl.functional import gaussian_log_density, soft_assignment
from deepcluster_pl.methods.initialization.initial_clustering import Initialization, fit_initialization
from deepcluster_pl.methods.initialization.whitening import whitened

D = 3


@pytest.fixture
def z():
    """Three groups, long along one axis, turned."""
    rng = np.random.default_rng(0)
    centers = np.array([[0, 0, 0], [0, 6, 0], [0, 0, 6]])
    points = rng.normal(size=(300, D)) * [20, 1, 1] + np.repeat(centers, 100, axis=0)
    return torch.tensor(points @ np.linalg.qr(rng.normal(size=(D, D)))[0] + 5, dtype=torch.float32)


TRUTH = torch.arange(3).repeat_interleave(100)


def mixture(covariance_type="full"):
    return GaussianMixture(3, covariance_type=covariance_type, n_init=10, random_state=0)


def posteriors(start, z):
    z = z.double()
    return torch.softmax(start.weights.log() + gaussian_log_density(z, start.centers, start.precisions_cholesky), dim=1)


def moved(start, z):
    return (z.double() - start.code_shift) @ start.code_matrix.T


@pytest.mark.parametrize("total", [1.0, 10.0])
@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag"])
def test_the_pooled_covariance_of_a_mixture_is_round_in_the_new_embeddings(z, total, covariance_type):
    start = whitened(fit_initialization(mixture(covariance_type), z), z, total)
    code, found = moved(start, z).numpy(), np.zeros((D, D))
    for share, point in zip(posteriors(start, moved(start, z)).numpy(), code, strict=True):
        for j in range(3):
            off = point - start.centers[j].numpy()
            found += share[j] * np.outer(off, off) / len(code)
    np.testing.assert_allclose(found, total / D * np.eye(D), atol=1e-6 * total)
    np.testing.assert_allclose(code.mean(axis=0), 0, atol=1e-9)


def test_the_mean_squared_distance_to_the_own_center_is_the_total_for_kmeans(z):
    start = whitened(fit_initialization(KMeans(3, n_init=5, random_state=0), z), z, 2.5)
    off = moved(start, z) - start.centers[start.labels]
    assert off.square().sum(dim=1).mean().item() == pytest.approx(2.5, rel=1e-5)
    assert start.centers.dtype == torch.float32


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_posteriors_and_labels_stay_what_they_were(z, covariance_type):
    before = fit_initialization(mixture(covariance_type), z)
    after = whitened(before, z, 1.0)
    torch.testing.assert_close(posteriors(after, moved(after, z)), posteriors(before, z), atol=1e-7, rtol=1e-5)
    assert torch.equal(after.labels, before.labels)
    assert torch.equal(after.weights, before.weights)


def test_students_kernel_sees_the_groups_only_in_the_new_embeddings(z):
    before = fit_initialization(mixture(), z)
    after = whitened(before, z, 1.0)
    assert adjusted_rand_score(TRUTH, before.labels) > 0.9

    def kept(start, code):
        return (soft_assignment(code, start.centers).argmax(dim=1) == start.labels).double().mean()

    assert kept(before, z.double()) < 0.8
    assert kept(after, moved(after, z)) > 0.97


def test_noise_of_a_clusterer_has_no_part_in_the_covariance(z):
    code = torch.cat([z[:100] / 20, torch.full((1, D), 1e3)])
    start = whitened(fit_initialization(DBSCAN(eps=1.5), code), code, 1.0)
    assert (start.labels == -1).any()
    own = start.labels >= 0
    off = (moved(start, code) - start.centers.double()[start.labels])[own]
    torch.testing.assert_close(off.T @ off / own.sum(), torch.eye(D, dtype=torch.float64) / D, atol=1e-4, rtol=1e-4)


def test_the_map_is_saved_and_loaded_exactly_and_described(z, tmp_path):
    start = whitened(fit_initialization(mixture(), z), z, 1.0)
    start.save(tmp_path / "start.safetensors")
    loaded = Initialization.load(tmp_path / "start.safetensors")
    for name in ("centers", "precisions_cholesky", "code_matrix", "code_shift"):
        assert torch.equal(getattr(loaded, name), getattr(start, name))
    stretched = np.linalg.eigvalsh(start.code_matrix)
    assert (
        loaded.describe() == f"embeddings whitened, their axes stretched by {stretched[0]:.3g} to {stretched[-1]:.3g}"
    )


def test_samples_that_are_their_own_centers_are_refused():
    z = torch.eye(3)
    with pytest.raises(UserError, match=r"whiten=1: every sample coincides with its center.*type whiten=null"):
        whitened(fit_initialization(KMeans(3, n_init=1, random_state=0), z), z, 1.0)
