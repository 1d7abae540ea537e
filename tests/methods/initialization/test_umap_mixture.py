"""The initialization on UMAP's map: each place kept with its embedding, and a mixture that knows them all."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs
from sklearn.mixture import GaussianMixture

from deepcluster_pl.errors import UserError
from deepcluster_pl.methods.initialization.initial_clustering import Initialization, check_clusterer, fit_initialization
from deepcluster_pl.methods.initialization.umap_mixture import UmapMixture
from deepcluster_pl.methods.shallow import ShallowClustering
from deepcluster_pl.nets.identity import Identity

umap = pytest.importorskip("umap", reason="umap-learn is not installed; pip install 'deepcluster_pl[umap]'")


def clusterer(**changes):
    knobs = {"n_components": 3, "n_neighbors": 10, "min_dist": 0.0, "n_epochs": 50, "random_state": 0}
    return UmapMixture(mixture=GaussianMixture(3, random_state=0), **(knobs | changes))


@pytest.fixture(scope="module")
def z():
    return torch.tensor(make_blobs(90, 4, centers=3, random_state=1)[0], dtype=torch.float32)


@pytest.fixture(scope="module")
def start(z):
    return fit_initialization(clusterer(), z)


def begun(start):
    module = ShallowClustering(Identity((4,)), "n2d", 3)
    module.initialize(start)
    return module


def test_places_are_umaps_and_labels_the_mixtures(z, start):
    options = {"n_components": 3, "n_neighbors": 10, "min_dist": 0.0, "n_epochs": 50, "random_state": 0, "n_jobs": 1}
    places = umap.UMAP(**options).fit_transform(z.numpy())
    np.testing.assert_array_equal(start.places, places)
    mixture = GaussianMixture(3, random_state=0)
    assert start.labels.tolist() == mixture.fit_predict(places.astype(np.float64)).tolist()
    np.testing.assert_array_equal(start.place_means, mixture.means_)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_threads_stays(z, threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    fit_initialization(clusterer(), z)
    after = torch.get_num_threads()
    torch.set_num_threads(before)
    assert after == threads


def test_the_same_seed_gives_the_same_places_and_another_seed_others(z, start):
    assert torch.equal(fit_initialization(clusterer(), z).places, start.places)
    assert not torch.equal(fit_initialization(clusterer(random_state=1), z).places, start.places)


def test_centers_are_the_means_of_the_groups_embeddings(z, start):
    for k in range(3):
        torch.testing.assert_close(start.centers[k], z[start.labels == k].mean(dim=0))


def test_fitted_samples_have_exactly_the_mixtures_labels_in_any_order(z, start):
    order = torch.randperm(len(z), generator=torch.Generator().manual_seed(0))
    assert begun(start).assign(z[order]).argmax(dim=1).tolist() == start.labels[order].tolist()


def test_a_sample_between_the_groups_places_is_judged_where_its_neighbors_lie(z, start):
    module, new = begun(start), z[:20] + 0.01
    assert module.assign(new).argmax(dim=1).tolist() == start.labels[:20].tolist()
    torch.testing.assert_close(module.assign(new).sum(dim=1), torch.ones(20))


def test_twins_have_one_place_and_both_count_in_the_mixture(z):
    doubled = torch.cat([z, z[:40], -0.0 * z[:1] + z[:1]])
    found = fit_initialization(clusterer(), doubled)
    assert len(found.codes) == len(found.places) == 90
    assert torch.equal(found.codes, z)
    assert found.labels[90:130].tolist() == found.labels[:40].tolist()
    assert begun(found).assign(doubled).argmax(dim=1).tolist() == found.labels.tolist()
    shares = torch.bincount(found.labels, minlength=3) / len(doubled)
    torch.testing.assert_close(found.place_weights.float(), shares, atol=0.05, rtol=0)


def test_fewer_samples_than_neighbors_take_all_others_as_neighbors(z):
    few = torch.cat([z[:8], z[-8:]])
    assert torch.equal(
        fit_initialization(clusterer(n_neighbors=100), few).places,
        fit_initialization(clusterer(n_neighbors=15), few).places,
    )


def test_too_few_distinct_samples_are_refused_with_what_to_type():
    with pytest.raises(UserError, match=r"start: found 1 distinct embeddings among 50.*at least 5.*n_components=3"):
        fit_initialization(clusterer(), torch.ones(50, 4))
    with pytest.raises(UserError, match="found 4 distinct"):
        fit_initialization(clusterer(), torch.eye(4))


def test_parameters_of_the_mixture_are_checked_before_anything_is_trained():
    wrong = UmapMixture(3, 10, 0.0, None, GaussianMixture(3, covariance_type="round"), 0)
    with pytest.raises(UserError, match="covariance_type"):
        check_clusterer(wrong)


def test_initialization_is_loaded_as_it_was_saved(start, tmp_path):
    start.save(tmp_path / "start.safetensors")
    loaded = Initialization.load(tmp_path / "start.safetensors")
    assert torch.equal(loaded.places, start.places)
    assert torch.equal(begun(loaded).assign(loaded.codes), begun(start).assign(start.codes))
