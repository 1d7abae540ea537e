"""The chosen restart is the median partition, even where its criterion is not the best."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from deepcluster_pl.errors import UserError
from deepcluster_pl.methods.initialization.consensus import ConsensusRestarts
from deepcluster_pl.methods.initialization.initial_clustering import Initialization, check_clusterer, fit_initialization

KMEANS = functools.partial(KMeans, n_clusters=4, init="random", n_init=1)
MIXTURE = functools.partial(GaussianMixture, 4, init_params="random_from_data", max_iter=5)


@pytest.fixture
def z():
    return torch.tensor(make_blobs(120, 3, centers=6, random_state=0)[0], dtype=torch.float32)


class Scripted:
    """Gives a partition and an inertia of a list, a further one each time it is made."""

    def __init__(self, script, random_state):
        self.script, self.random_state = script, random_state

    def fit_predict(self, data):
        labels, self.inertia_ = self.script.pop(0)
        return np.array(labels)


def scripted(*script):
    return ConsensusRestarts(functools.partial(Scripted, list(script)), len(script), 0)


@pytest.mark.parametrize("make", [KMEANS, MIXTURE])
def test_the_choice_agrees_with_the_slow_comparison_of_all_restarts(z, make):
    data = z.double().numpy()
    found = ConsensusRestarts(make, 6, 3)
    labels = found.fit_predict(data)
    seeds = np.random.default_rng(3).integers(2**31, size=6)
    alone = [make(random_state=int(seed)).fit_predict(data) for seed in seeds]
    means = [np.mean([adjusted_rand_score(a, b) for j, b in enumerate(alone) if j != i]) for i, a in enumerate(alone)]
    np.testing.assert_allclose(found.agreement_, means, atol=1e-12)
    assert len({round(mean, 9) for mean in means}) > 1
    assert means[[labels.tolist() == one.tolist() for one in alone].index(True)] == pytest.approx(max(means))


def test_agreement_is_right_where_the_lowest_inertia_is_wrong():
    """Two long groups: cutting both across costs k-means less than telling them apart."""
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1], 60)
    data = np.stack([rng.uniform(0, 24, 120), 10.0 * truth + rng.normal(0, 0.5, 120)], axis=1)

    def inertia(labels):
        return sum(((data[labels == k] - data[labels == k].mean(axis=0)) ** 2).sum() for k in (0, 1))

    across = (data[:, 0] > 12).astype(int)
    assert inertia(across) < inertia(truth)
    noisy = [np.where(rng.random(120) < 0.05, 1 - truth, truth) for _ in range(4)]
    found = scripted(*[(labels, inertia(labels)) for labels in (across, *noisy)])
    chosen = found.fit_predict(data)
    assert adjusted_rand_score(truth, chosen) > 0.7
    assert adjusted_rand_score(truth, across) < 0.1
    assert found.criterion_.argmax() == 0 == found.agreement_.argmin()


def test_restarts_of_kmeans_that_find_a_rare_optimum_are_outvoted():
    rng = np.random.default_rng(5)
    data = np.concatenate([rng.normal([0, y], [12, 1], size=(300, 2)) for y in (0, 9)])
    found = ConsensusRestarts(functools.partial(KMeans, n_clusters=3, init="random", n_init=1), 30, 0)
    chosen = found.fit_predict(data)
    lowest = KMeans(3, n_init=50, random_state=0).fit(data)
    assert found.inertia_ > lowest.inertia_
    assert found.agreement_[found.criterion_.argmax()] < found.agreement_.max()
    assert adjusted_rand_score(chosen, lowest.labels_) < 0.9


def test_equal_agreement_is_decided_by_the_criterion():
    labels, other = [0, 0, 1, 1, 2, 2], [0, 1, 2, 0, 1, 2]
    found = scripted((labels, 9.0), ([1, 1, 0, 0, 2, 2], 3.0), (other, 1.0), ([2, 2, 0, 0, 1, 1], 5.0))
    assert found.fit_predict(np.zeros((6, 1))).tolist() == [1, 1, 0, 0, 2, 2]


def test_restarts_differ_and_repeat_with_the_random_state(z):
    first, again, other = (ConsensusRestarts(KMEANS, 5, seed) for seed in (1, 1, 2))
    for clusterer in (first, again, other):
        clusterer.fit_predict(z.numpy())
    assert first.criterion_.tolist() == again.criterion_.tolist() != other.criterion_.tolist()
    assert len(set(first.criterion_)) > 1


def test_an_initialization_has_the_centers_of_the_chosen_kmeans_and_the_record_of_all(z, tmp_path):
    start = fit_initialization(ConsensusRestarts(KMEANS, 5, 0), z)
    for k in range(4):
        torch.testing.assert_close(start.centers[k], z[start.labels == k].mean(dim=0), atol=1e-4, rtol=1e-4)
    assert start.weights is None
    assert (start.agreement.shape, start.criterion.shape) == ((5,), (5,))
    start.save(tmp_path / "start.safetensors")
    loaded = Initialization.load(tmp_path / "start.safetensors")
    assert torch.equal(loaded.agreement, start.agreement)
    assert torch.equal(loaded.criterion, start.criterion)
    low, high, best = start.agreement.min(), start.agreement.max(), start.agreement[start.criterion.argmax()]
    assert loaded.describe() == (
        f"agreement of 5 restarts with the others {low:.3f} to {high:.3f}, of the best by its own criterion {best:.3f}"
    )


@pytest.mark.parametrize("covariance_type", ["full", "diag"])
def test_an_initialization_has_the_densities_of_the_chosen_mixture(z, covariance_type):
    clusterer = ConsensusRestarts(functools.partial(MIXTURE, covariance_type=covariance_type), 4, 0)
    start = fit_initialization(clusterer, z)
    seeds = np.random.default_rng(0).integers(2**31, size=4)
    mixtures = [MIXTURE(covariance_type=covariance_type, random_state=int(seed)) for seed in seeds]
    labels = [mixture.fit_predict(z.double().numpy()).tolist() for mixture in mixtures]
    chosen = mixtures[labels.index(start.labels.tolist())]
    np.testing.assert_array_equal(start.centers, chosen.means_)
    np.testing.assert_array_equal(start.weights, chosen.weights_)
    np.testing.assert_array_equal(start.precisions_cholesky, chosen.precisions_cholesky_)


def test_a_clusterer_without_random_state_is_refused():
    with pytest.raises(UserError, match=r"start\.clusterer: .*random_state"):
        ConsensusRestarts(AgglomerativeClustering, 3, 0)


def test_parameters_scikit_learn_would_refuse_are_refused_before_anything_is_trained():
    with pytest.raises(UserError, match="start: The 'init' parameter"):
        check_clusterer(ConsensusRestarts(functools.partial(KMeans, 3, init="sideways"), 3, 0))
    assert check_clusterer(ConsensusRestarts(KMEANS, 3, 0)) is None
