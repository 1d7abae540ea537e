"""The order of neighbors by elastic distances: right for any size of its pieces, and taken where groups get clearer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from deepcluster_pl.data.sources.tabular import ArrayData
from deepcluster_pl.functional.elastic_distances import direction_maps, elastic_distances
from deepcluster_pl.functional.neighbors import nearest_neighbors
from deepcluster_pl.methods.initialization.neighbor_communities import NeighborCommunities
from deepcluster_pl.nets import elastic_neighbors
from deepcluster_pl.nets.elastic_neighbors import ElasticOrder
from deepcluster_pl.nets.gradients import Gradients

IMAGES = torch.from_numpy(load_digits().images[:300]).float()[:, None] / 16


@pytest.fixture
def order():
    return ElasticOrder(lambda rows: IMAGES[torch.from_numpy(rows)])


def test_candidates_come_in_the_order_of_their_distances(order, monkeypatch):
    rows = np.arange(40, 100)
    near = nearest_neighbors(IMAGES[40:100].flatten(1), 8).numpy()
    found = order(rows, near)
    maps = direction_maps(IMAGES[40:100]).half().float()
    for sample in (0, 17, 59):
        distances = elastic_distances(maps[sample].expand(8, -1, -1, -1), maps[near[sample].astype(np.int64)])
        assert (found[sample] == near[sample][distances.argsort(stable=True).numpy()]).all()
    monkeypatch.setattr(elastic_neighbors, "_VALUES_AT_ONCE", 1)
    monkeypatch.setattr(elastic_neighbors, "_PIXELS_AT_ONCE", 7 * 64)
    assert (order(rows, near) == found).all()


def test_an_order_among_some_rows_counts_them_from_zero(order):
    rows = np.arange(50, 90)
    near = nearest_neighbors(IMAGES[50:90].flatten(1), 5).numpy()
    assert (order.among(rows)(np.arange(40), near) == order(rows, near)).all()


def test_a_graph_takes_the_first_of_forty_candidates_and_twins_once():
    asked = []

    class Backwards:
        remark = ""

        def __call__(self, rows, candidates):
            asked.append((rows, candidates))
            return candidates[:, ::-1]

    points = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    points[100:] = points[:100]
    clusterer = NeighborCommunities(4, n_neighbors=5).fit(points, Backwards())
    (rows, candidates), *others = asked
    assert not others
    assert rows.tolist() == list(range(100))
    assert candidates.shape == (100, 40)
    assert (clusterer.labels_[:100] == clusterer.labels_[100:]).all()
    assert (clusterer.labels_ != NeighborCommunities(4, n_neighbors=5).fit(points).labels_).any()


@pytest.mark.parametrize(("after", "is_taken"), [(0.85, False), (0.859, False), (0.861, True)])
def test_the_order_is_taken_where_groups_get_clearer(after, is_taken, monkeypatch, tmp_path, common):
    np.save(tmp_path / "x.npy", IMAGES[:, 0].numpy())
    source = ArrayData(str(tmp_path / "x.npy"), None, None, None, **common())
    source.setup()
    net = Gradients((8, 8), 4, 8, 6, elastic="auto")
    net.measure(source)
    monkeypatch.setattr(
        elastic_neighbors, "largest_modularity", lambda points, neighbors=None: 0.85 if neighbors is None else after
    )
    found = net.neighbor_order(source)
    assert (found is not None) == is_taken
    if found is not None:
        assert found.remark == "neighbors are compared bent, since groups get clearer: modularity 0.850, then 0.861"
    monkeypatch.setattr(elastic_neighbors, "largest_modularity", None)  # is not asked
    assert Gradients((8, 8), 4, 8, 6).neighbor_order(source) is None
    net.elastic = True
    assert net.neighbor_order(source).remark == ""


def test_few_images_keep_their_nearest_neighbors(tmp_path, common):
    np.save(tmp_path / "x.npy", IMAGES[:150, 0].numpy())
    source = ArrayData(str(tmp_path / "x.npy"), None, None, None, **common())
    source.setup()
    net = Gradients((8, 8), 4, 8, 6, elastic="auto")
    net.measure(source)
    assert net.neighbor_order(source) is None
