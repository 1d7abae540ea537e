"""A large group that was cut in two is noticed without labels, and even groups raise no alarm."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans

from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.instantiate import instantiate_node
from deepcluster_pl.data.samples import Table
from deepcluster_pl.evaluation.uneven_groups import DensityOfInput, Halved, find_halved


def data_of(x):
    data = instantiate_node(compose_checked(["data=array", "data.scale=standard"]).cfg.data)
    data.take_over(Table(np.asarray(x, dtype=np.float32), range(len(x))))
    data.setup()
    return data


def blobs(sizes, seed=0, apart=5.0, dimensions=10):
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(len(sizes), dimensions))
    centers *= apart / np.linalg.norm(centers, axis=1)[:, None]
    groups = np.repeat(np.arange(len(sizes)), sizes)
    return (rng.normal(size=(len(groups), dimensions)) + centers[groups]).astype(np.float32), groups


def test_halves_of_the_large_group_are_named_with_a_method_that_keeps_it_whole():
    x, groups = blobs([900, 80, 20])
    halved = np.where((groups == 0) & (x[:, 0] > np.median(x[:900, 0])), 2, np.minimum(groups, 1))
    found = find_halved(data_of(x), {"fit": halved}, {"kmeans": {"fit": halved}, "graph": {"fit": groups}}, 0)
    assert found == Halved((0, 2), (450, 450), "graph")
    assert find_halved(data_of(x), {"fit": groups}, {}, 0) is None


@pytest.mark.parametrize("name", ["digits", "wine", "breast_cancer", "blobs"])
def test_bundled_data_and_even_blobs_raise_no_alarm(name):
    data = instantiate_node(compose_checked([f"data={name}"]).cfg.data)
    data.setup()
    x, density = data.prepared("fit"), DensityOfInput(data, 0)
    for n_clusters in (3, 10):
        labels = KMeans(n_clusters, n_init=1, random_state=0).fit_predict(x).astype(np.int64)
        assert density.halves(labels) is None
    known = np.unique(data.part("fit").labels, return_inverse=True)[1]
    assert density.halves(known) is None
