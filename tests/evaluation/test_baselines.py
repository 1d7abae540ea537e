"""Baselines are k-means with 20 restarts, cached, and left out where they would only repeat the method."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

from deepcluster_pl.data.sources.synthetic import Blobs
from deepcluster_pl.evaluation import baselines as module_under_test
from deepcluster_pl.evaluation.baselines import Baselines, baseline_partitions
from deepcluster_pl.methods.dec import DEC
from deepcluster_pl.methods.shallow import ShallowClustering
from deepcluster_pl.nets.identity import Identity
from deepcluster_pl.nets.mlp import MLPAutoencoder
from deepcluster_pl.utils.run_warnings import RunWarnings

SGD = functools.partial(torch.optim.SGD, lr=0.01)


@pytest.fixture
def blobs(common):
    data = Blobs(60, 3, 3, 1.0, 0, **common(holdout=0.25))
    data.setup()
    return data


@pytest.fixture
def baselines(tmp_path):
    def make(effort="full", n_clusters=3, seed=0, cache_dir=tmp_path, warnings=None):
        return Baselines(effort, n_clusters, seed, cache_dir, warnings or RunWarnings(print))

    return make


def refuse(name, rows):
    raise AssertionError(f"features of {name} were asked for")


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def test_partition_is_scikit_learns_with_20_restarts_and_the_held_out_part_is_only_predicted(blobs, baselines):
    found = baselines().kmeans(blobs, blobs.prepared, None)
    kmeans = KMeans(3, n_init=20, random_state=0).fit(blobs.prepared("fit"))
    assert found["fit"].tolist() == kmeans.labels_.tolist()
    assert found["holdout"].tolist() == kmeans.predict(blobs.prepared("holdout")).tolist()


def test_no_baselines_compute_nothing(blobs, baselines):
    assert baselines("none").kmeans(blobs, refuse, "key") is None


def test_second_run_reads_the_cache(blobs, baselines):
    first = baselines().kmeans(blobs, blobs.prepared, blobs.fingerprint())
    assert same(baselines().kmeans(blobs, refuse, blobs.fingerprint()), first)


def test_a_flipped_byte_anywhere_in_the_cache_is_noticed_or_changes_nothing(blobs, baselines, tmp_path):
    first = baselines().kmeans(blobs, blobs.prepared, "key")
    (file,) = tmp_path.rglob("*.npz")
    content = file.read_bytes()
    n_noticed = 0
    for position in range(0, len(content), 7):
        damaged = bytearray(content)
        damaged[position] ^= 0x10
        file.write_bytes(damaged)
        cached = module_under_test._read(file, {name: len(blobs.part(name)) for name in blobs.parts})
        n_noticed += cached is None
        assert cached is None or same(cached, first)
    assert n_noticed > 50
    assert same(baselines().kmeans(blobs, blobs.prepared, "key"), first)


def test_a_cache_without_checksums_or_of_other_sizes_is_computed_again(blobs, baselines, tmp_path):
    first = baselines().kmeans(blobs, blobs.prepared, "key")
    (file,) = tmp_path.rglob("*.npz")
    np.savez(file, **{name: np.zeros_like(clusters) for name, clusters in first.items()})
    assert same(baselines().kmeans(blobs, blobs.prepared, "key"), first)
    short = {name: clusters[:5] for name, clusters in first.items()}
    np.savez(file, checksum=module_under_test._checksum(short), **short)
    assert same(baselines().kmeans(blobs, blobs.prepared, "key"), first)
    assert same(baselines().kmeans(blobs, refuse, "key"), first)


def test_a_link_in_the_cache_is_replaced_and_its_target_is_left_alone(blobs, baselines, tmp_path):
    first = baselines().kmeans(blobs, blobs.prepared, "key")
    (file,) = tmp_path.rglob("*.npz")
    (tmp_path / "mine").write_text("mine")
    file.unlink()
    file.symlink_to(tmp_path / "mine")
    assert same(baselines().kmeans(blobs, blobs.prepared, "key"), first)
    assert (tmp_path / "mine").read_text() == "mine"
    assert not file.is_symlink()


def test_a_cache_that_cannot_be_written_is_a_warning(blobs, baselines, tmp_path):
    (tmp_path / "file").write_text("no folder")
    warnings = RunWarnings(print)
    found = baselines(cache_dir=tmp_path / "file", warnings=warnings).kmeans(blobs, blobs.prepared, "key")
    assert same(found, baselines().kmeans(blobs, blobs.prepared, None))
    assert len(warnings.texts) == 1
    assert "of cache_dir was not made" in warnings.texts[0]


@pytest.mark.parametrize("changed", [{"n_clusters": 4}, {"seed": 1}])
def test_cache_is_not_shared_across_clusters_and_seeds(blobs, baselines, changed):
    baselines().kmeans(blobs, blobs.prepared, "key")
    with pytest.raises(AssertionError, match="features of fit were asked for"):
        baselines(**changed).kmeans(blobs, refuse, "key")


def test_cache_is_shared_where_auto_does_what_full_does(blobs, baselines):
    full = baselines("full").kmeans(blobs, blobs.prepared, "key")
    assert same(baselines("auto").kmeans(blobs, refuse, "key"), full)


def test_cache_is_left_alone_without_a_key(blobs, baselines, tmp_path):
    assert baselines().kmeans(blobs, blobs.prepared, None) is not None
    assert list(tmp_path.rglob("*.npz")) == []


@pytest.mark.parametrize(
    ("effort", "n_rows", "n_init", "n_fitted"),
    [("auto", 70_000, 20, 70_000), ("auto", 70_001, 3, 50_000), ("full", 70_001, 20, 70_001)],
)
def test_auto_saves_time_above_70000_rows_only(common, baselines, monkeypatch, effort, n_rows, n_init, n_fitted):
    seen = {}

    class Recorder:
        def __init__(self, n_clusters, n_init, random_state):
            seen.update(n_clusters=n_clusters, n_init=n_init, random_state=random_state)

        def fit(self, x):
            seen["n_fitted"] = len(x)
            self.labels_ = self.predict(x)
            return self

        def predict(self, x):
            return np.zeros(len(x), dtype=int)

    monkeypatch.setattr(module_under_test, "KMeans", Recorder)
    data = Blobs(n_rows, 1, 3, 1.0, 0, **common())
    data.setup()
    found = baselines(effort, seed=7).kmeans(data, data.prepared, None)
    assert seen == {"n_clusters": 3, "n_init": n_init, "random_state": 7, "n_fitted": n_fitted}
    assert len(found["fit"]) == n_rows


def autoencoder():
    torch.manual_seed(0)
    return MLPAutoencoder((3,), [4, 2], "relu", None, "fan_in_uniform")


def kmeans(n_init=20, random_state=0):
    return KMeans(3, n_init=n_init, random_state=random_state)


INITIAL = {"fit": np.zeros(45, dtype=int), "holdout": np.zeros(15, dtype=int)}


@pytest.fixture
def both(blobs, baselines):
    """Returns baselines on the input and on the embeddings, beside a method with this initialization."""

    def run(method, clusterer, effort="full"):
        embeddings = {name: method.embed(blobs.loader(name)) for name in blobs.parts}
        return baseline_partitions(baselines(effort), blobs, method, clusterer, embeddings, INITIAL)

    return run


def test_kmeans_on_the_input_has_no_baseline_but_itself(both):
    assert both(ShallowClustering(Identity((3,)), "kmeans", 3), kmeans()) == (None, None)


def test_kmeans_on_the_embeddings_is_compared_with_the_input_only(both, blobs, baselines):
    raw, embedded = both(ShallowClustering(autoencoder(), "ae_kmeans", 3), kmeans())
    assert same(raw, baselines().kmeans(blobs, blobs.prepared, None))
    assert embedded is None


def test_mixture_on_the_input_is_compared_with_kmeans_on_it(both):
    raw, embedded = both(ShallowClustering(Identity((3,)), "gmm", 3), GaussianMixture(3))
    assert raw is not None
    assert embedded is None


def test_mixture_on_the_embeddings_is_compared_with_both(both):
    raw, embedded = both(ShallowClustering(autoencoder(), "ae_gmm", 3), GaussianMixture(3))
    assert raw is not None
    assert set(embedded) == {"fit", "holdout"}
    assert not same(embedded, INITIAL)


def test_initialization_by_the_same_kmeans_is_the_baseline_on_the_embeddings(both):
    assert same(both(DEC(autoencoder(), "dec", 3, 1.0, SGD, None), kmeans())[1], INITIAL)


@pytest.mark.parametrize("options", [{"n_init": 5}, {"random_state": 1}])
def test_initialization_by_another_kmeans_is_not(both, options):
    assert not same(both(DEC(autoencoder(), "dec", 3, 1.0, SGD, None), kmeans(**options))[1], INITIAL)


def test_none_means_none(both):
    assert both(DEC(autoencoder(), "dec", 3, 1.0, SGD, None), kmeans(), effort="none") == (None, None)


def test_an_initialization_that_changed_the_embeddings_repeats_no_baseline(both, blobs, baselines):
    method = ShallowClustering(autoencoder(), "ae_kmeans", 3)
    embeddings = {name: method.embed(blobs.loader(name)).numpy() for name in blobs.parts}
    assert same(both(method, None)[1], baselines().kmeans(blobs, embeddings.get, None))
