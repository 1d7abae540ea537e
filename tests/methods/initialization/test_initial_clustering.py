"""The initialization is the clusterer's own result, refused early where it cannot work, saved and loaded whole."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.cluster import DBSCAN, AgglomerativeClustering, KMeans
from sklearn.datasets import make_blobs
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_info, threadpool_limits

from deepcluster_pl.errors import UserError
from deepcluster_pl.functional import gaussian_log_density, squared_distances
from deepcluster_pl.methods.initialization.initial_clustering import Initialization, check_clusterer, fit_initialization
from deepcluster_pl.utils.determinism import deterministic_openmp


@pytest.fixture
def z():
    return torch.tensor(make_blobs(90, 4, centers=3, random_state=0)[0], dtype=torch.float32)


def kmeans(n_clusters=3, **options):
    return KMeans(n_clusters, n_init=5, random_state=0, **options)


def test_kmeans_initialization_is_scikit_learns(z):
    start, found = fit_initialization(kmeans(), z), kmeans().fit(z.numpy())
    assert start.labels.tolist() == found.labels_.tolist()
    np.testing.assert_array_equal(start.centers, found.cluster_centers_)
    assert start.labels.dtype == torch.int64
    assert start.centers.dtype == torch.float32
    assert torch.equal(squared_distances(z, start.centers).argmin(dim=1), start.labels)


def test_the_same_seed_gives_the_same_centers_on_a_machine_of_many_cores(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "8")  # where this is set, scikit-learn takes as many threads as OpenMP has
    z = torch.tensor(np.random.default_rng(0).normal(size=(20_000, 10)), dtype=torch.float32)
    with threadpool_limits(8, user_api="openmp"):
        found = [fit_initialization(KMeans(10, n_init=1, random_state=0, max_iter=60), z).centers for _ in range(4)]
    assert all(torch.equal(centers, found[0]) for centers in found)


def test_one_thread_stays_one():
    with threadpool_limits(1, user_api="openmp"), deterministic_openmp():
        assert {library["num_threads"] for library in threadpool_info() if library["user_api"] == "openmp"} == {1}


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_mixture_initialization_gives_the_mixtures_own_posterior(z, covariance_type):
    start = fit_initialization(GaussianMixture(3, covariance_type=covariance_type, random_state=0), z)
    data = z.double()
    mixture = GaussianMixture(3, covariance_type=covariance_type, random_state=0).fit(data.numpy())
    joint = start.weights.log() + gaussian_log_density(data, start.centers, start.precisions_cholesky)
    np.testing.assert_allclose(joint.softmax(dim=1), mixture.predict_proba(data), atol=1e-8)
    assert start.labels.tolist() == mixture.predict(data).tolist()


def test_clusterer_without_centers_gets_the_mean_of_each_group(z):
    start = fit_initialization(AgglomerativeClustering(3), z)
    for k in range(3):
        torch.testing.assert_close(start.centers[k], z[start.labels == k].mean(dim=0))


def test_noise_of_a_clusterer_is_in_no_center(z):
    outlier = torch.full((1, 4), 1e3)
    start = fit_initialization(DBSCAN(eps=3), torch.cat([z, outlier]))
    assert start.labels[-1] == -1
    assert start.centers.abs().max() < 100
    assert len(start.centers) == start.labels.max() + 1


def test_clusterer_that_finds_no_group_at_all_is_an_error_for_the_person(z):
    with pytest.raises(UserError):
        fit_initialization(DBSCAN(eps=1e-6), z)


@pytest.mark.parametrize("clusterer", [kmeans(), GaussianMixture(3, random_state=0)])
def test_same_seed_gives_the_same_initialization(z, clusterer):
    first, again = fit_initialization(clusterer, z), fit_initialization(clusterer, z)
    assert torch.equal(first.labels, again.labels)
    assert torch.equal(first.centers, again.centers)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_embeddings_that_are_not_finite_are_refused_with_what_to_change(z, value):
    z[3, 1] = value
    with pytest.raises(UserError, match=r"NaN, infinite or huge.*smaller pretrain\.optimizer\.lr"):
        fit_initialization(kmeans(), z)


@pytest.mark.parametrize("size", [1e19, 1e30])
def test_inertia_is_never_infinite(z, size):
    with pytest.raises(UserError):
        fit_initialization(kmeans(), z * size)


@pytest.mark.parametrize("clusterer", [kmeans(5), GaussianMixture(5), AgglomerativeClustering(5)])
def test_fewer_samples_than_clusters_are_refused_in_scikit_learns_words(z, clusterer):
    with pytest.raises(UserError, match=r"start: .*4"):
        fit_initialization(clusterer, z[:4])


def test_one_cluster_is_the_mean_of_all(z):
    start = fit_initialization(kmeans(1), z)
    assert start.labels.tolist() == [0] * 90
    torch.testing.assert_close(start.centers[0], z.mean(dim=0), atol=1e-4, rtol=1e-5)


def test_fewer_distinct_points_than_clusters_are_still_clustered():
    start = fit_initialization(kmeans(4), torch.tensor([[0.0, 0.0], [1.0, 1.0]] * 5))
    assert start.centers.shape == (4, 2)
    assert len(start.labels.unique()) == 2


@pytest.mark.parametrize("clusterer", [KMeans(-5), KMeans(0), GaussianMixture(2, covariance_type="round")])
def test_parameters_scikit_learn_would_refuse_are_refused_before_anything_is_trained(clusterer):
    with pytest.raises(UserError, match=r"start: The '(n_clusters|covariance_type)' parameter"):
        check_clusterer(clusterer)


def test_sound_parameters_pass():
    assert check_clusterer(KMeans(3)) is None


@pytest.mark.parametrize("clusterer", [kmeans(), GaussianMixture(3, covariance_type="diag", random_state=0)])
def test_initialization_is_loaded_as_it_was_saved(z, clusterer, tmp_path):
    start = fit_initialization(clusterer, z)
    start.save(tmp_path / "start.safetensors")
    loaded = Initialization.load(tmp_path / "start.safetensors")
    for name in ("labels", "centers", "weights", "precisions_cholesky"):
        saved, read = getattr(start, name), getattr(loaded, name)
        assert (saved is None and read is None) or torch.equal(saved, read)


class CountsThreads:
    """A clusterer that notes how many threads BLAS may use while it is fitted."""

    def fit_predict(self, x):
        self.threads = [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]
        return np.arange(len(x)) % 2


@pytest.mark.parametrize("n", [100, 20_001])
def test_small_matrices_are_multiplied_by_one_thread(n):
    before = [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]
    clusterer = CountsThreads()
    fit_initialization(clusterer, torch.zeros(n, 2))
    assert clusterer.threads == ([1] * len(before) if n == 100 else before)
    assert [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"] == before
