"""Mixture and graph beside every result: those of their recipes, cached, and left out where they repeat the method."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers.command_line import TINY_RAW
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.nodes import to_plain, without_hydra
from deepcluster_pl.data.sources.synthetic import Blobs
from deepcluster_pl.evaluation import baselines as module_under_test
from deepcluster_pl.evaluation.baselines import Baselines, simple_partitions
from deepcluster_pl.evaluation.simple_baselines import SIMPLE, simple_partition
from deepcluster_pl.functional import adjusted_rand_indices
from deepcluster_pl.methods.initialization.neighbor_graph import NeighborGraph
from deepcluster_pl.methods.shallow import ShallowClustering
from deepcluster_pl.nets.block_pca import PCA
from deepcluster_pl.nets.identity import Identity
from deepcluster_pl.utils.run_warnings import RunWarnings


@pytest.fixture
def blobs(common):
    data = Blobs(90, 5, 3, 1.0, 0, **common(holdout=0.25))
    data.setup()
    return data


@pytest.fixture
def baselines(tmp_path):
    def make(effort="auto"):
        return Baselines(effort, 3, 0, tmp_path, RunWarnings(print))

    return make


def identity():
    return ShallowClustering(Identity((5,)), "kmeans", 3)


@pytest.mark.parametrize("baseline", SIMPLE, ids=lambda baseline: baseline.name)
def test_settings_are_those_of_the_recipe(baseline):
    recipe = to_plain(without_hydra(compose_checked([f"method={baseline.name}", "n_clusters=3", "seed=5"]).cfg))
    clusterer = vars(baseline.make_clusterer(3, 5, 100))
    assert {key: clusterer[key] for key in recipe["start"] if key != "_target_"} == {
        key: value for key, value in recipe["start"].items() if key != "_target_"
    }
    net = recipe["net"]
    assert (net["n_components"], net["whitening"], net["latent_dim"]) == (baseline.n_components, 0.0, None)


def test_scores_are_those_of_a_run_of_the_method_which_has_no_row_for_itself(cli_run):
    beside = cli_run(*TINY_RAW, "method=kmeans", "data.holdout=0.25", name="beside").scores["baselines"]
    for baseline in SIMPLE:
        own = cli_run(*TINY_RAW, f"method={baseline.name}", "data.holdout=0.25", name=baseline.name).scores
        for part in ("fit", "holdout"):
            for key in ("acc", "nmi", "silhouette", "cluster_sizes"):
                assert beside[baseline.name][part][key] == own[part][key]
        rows = {other.name: own["baselines"][other.name]["fit"] is not None for other in SIMPLE}
        assert rows == {other.name: other is not baseline for other in SIMPLE}


def test_blobs_are_found_in_both_parts(blobs):
    for baseline in SIMPLE:
        found = simple_partition(baseline, blobs, 3, 0, 1000)
        for name in blobs.parts:
            assert adjusted_rand_indices(np.stack([found[name], blobs.part(name).labels]))[0, 1] == 1


def test_a_sample_is_fitted_where_there_are_many_rows_and_its_clusters_are_carried_to_the_rest(blobs):
    for baseline in SIMPLE:
        found = simple_partition(baseline, blobs, 3, 0, 40)
        assert adjusted_rand_indices(np.stack([found["fit"], blobs.part("fit").labels]))[0, 1] > 0.9


@pytest.mark.parametrize(("effort", "rows"), [("auto", 10_000), ("full", 70_000)])
def test_auto_bounds_the_rows_and_says_so(baselines, effort, rows):
    assert baselines(effort).simple_rows(70_000) == rows
    assert baselines(effort).describe(70_000) == {"n_init": 20, "rows": 70_000, "simple_rows": rows}


def test_a_baseline_without_a_result_is_null(blobs, common, monkeypatch):
    wide = Blobs(20, 4097, 3, 1.0, 0, **common())
    wide.setup()
    assert [simple_partition(baseline, wide, 3, 0, 100) for baseline in SIMPLE] == [None, None]
    monkeypatch.setattr(GaussianMixture, "fit_predict", refuse)
    assert simple_partition(SIMPLE[0], blobs, 3, 0, 100) is None


def refuse(*arguments, **options):
    raise ValueError("ill-defined empirical covariance")


def test_known_partitions_are_taken_as_they_are_and_none_means_none(blobs, baselines, monkeypatch):
    monkeypatch.setattr(module_under_test, "simple_partition", refuse)
    known = {"graph": {"fit": np.zeros(67)}, "pca_gmm": {"fit": np.ones(67)}}
    assert simple_partitions(baselines(), blobs, identity(), KMeans(3), known) == known
    nothing = {"graph": None, "pca_gmm": None}
    assert simple_partitions(baselines("none"), blobs, identity(), KMeans(3), known) == nothing


def test_the_second_run_reads_the_cache(blobs, baselines, monkeypatch):
    first = simple_partitions(baselines(), blobs, identity(), KMeans(3), {})
    monkeypatch.setattr(module_under_test, "simple_partition", refuse)
    again = simple_partitions(baselines(), blobs, identity(), KMeans(3), {})
    assert all(np.array_equal(again[name][part], first[name][part]) for name in first for part in blobs.parts)


@pytest.mark.parametrize(
    ("clusterer", "left_out"),
    [(NeighborGraph(3), ["graph"]), (GaussianMixture(3), ["pca_gmm"]), (KMeans(3), []),
     (GaussianMixture(3, covariance_type="diag"), []), (None, [])],
)  # fmt: skip
def test_a_method_on_components_has_no_row_for_itself(blobs, baselines, clusterer, left_out):
    method = ShallowClustering(PCA((5,), None, 5, 0.0, None, []), "x", 3)
    found = simple_partitions(baselines(), blobs, method, clusterer, {})
    assert [name for name, partition in found.items() if partition is None] == left_out


def test_nothing_depends_on_the_global_random_state(blobs):
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        found.append([simple_partition(baseline, blobs, 3, 0, 40)["fit"].tolist() for baseline in SIMPLE])
    assert found[0] == found[1]
