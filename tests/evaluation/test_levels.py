"""Levels of a partition: nested, one lookup a sample, the same again, and without outliers."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs

from deepcluster_pl.errors import UserError
from deepcluster_pl.evaluation.find_levels import make_levels
from deepcluster_pl.evaluation.levels import load_levels
from deepcluster_pl.evaluation.predictions import Prediction

PLACES = np.array([[100.0 * i + 10 * j, 40.0 * i] for i in range(3) for j in range(3)])


def prediction(z, clusters):
    clusters = torch.from_numpy(np.asarray(clusters, dtype=np.int64))
    ones = torch.ones(len(clusters))
    return Prediction(torch.from_numpy(np.asarray(z, dtype=np.float32)), clusters, ones, 0 * ones)


@pytest.fixture(scope="module")
def blobs():
    """Nine groups, three in each of three places."""
    return make_blobs(900, centers=PLACES, random_state=0)


def lookup(levels, kind, part="fit"):
    level = next(level for level in levels.offered if level.kind == kind)
    return np.append(level.group_of_cell, -1)[levels.cells[part]]


def test_nine_groups_in_three_places_have_three_coarse_ones(blobs):
    z, y = blobs
    levels = make_levels({"fit": prediction(z, y)}, 9, 0)
    assert [level.name for level in levels.offered] == ["3 coarse", "9 as chosen"]
    assert levels.offered[1].parent == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    np.testing.assert_array_equal(lookup(levels, "coarse"), y // 3)
    np.testing.assert_array_equal(lookup(levels, "chosen"), y)


def test_three_groups_of_three_parts_have_nine_fine_ones_on_held_out_samples_too(blobs):
    z, y = blobs
    fit, holdout = np.arange(0, 900, 2), np.arange(1, 900, 2)
    parts = {"fit": prediction(z[fit], y[fit] // 3), "holdout": prediction(z[holdout], y[holdout] // 3)}
    levels = make_levels(parts, 3, 0)
    assert [level.name for level in levels.offered] == ["2 coarse", "3 as chosen", "9 fine"]
    fine = lookup(levels, "fine", "holdout")
    pairs = set(zip(fine.tolist(), y[holdout].tolist(), strict=True))
    assert len(pairs) == 9
    for n in range(1, 10):
        assert len(np.unique(levels.labels_at(n))) == n
    np.testing.assert_array_equal(levels.labels_at(3, "holdout"), y[holdout] // 3)
    with pytest.raises(ValueError, match="found n=10, expected 1 to 9"):
        levels.labels_at(10)


def test_outliers_are_in_no_group_and_empty_clusters_have_no_parent(blobs):
    z, y = blobs
    clusters = np.where(np.arange(900) % 10 == 0, -1, y)
    levels = make_levels({"fit": prediction(z, clusters)}, 11, 0)
    assert (levels.cells["fit"] == -1).sum() == 90
    assert (lookup(levels, "coarse") == -1).sum() == (levels.labels_at(4) == -1).sum() == 90
    chosen = levels.offered[levels.chosen]
    assert chosen.n_groups == 9
    assert chosen.parent[9:] == [None, None]
    assert chosen.sizes[9:] == [0, 0]
    assert sum(chosen.sizes) == 810


@pytest.mark.parametrize("clusters", [np.full(900, -1), np.zeros(900), np.arange(900) % 2])
def test_nothing_one_group_and_two_groups_are_levels_as_well(blobs, clusters):
    z, _ = blobs
    levels = make_levels({"fit": prediction(np.zeros_like(z), clusters)}, 2, 0)
    assert [level.kind for level in levels.offered] == ["chosen"]
    np.testing.assert_array_equal(lookup(levels, "chosen"), clusters)


def test_samples_that_were_not_drawn_get_the_cell_of_the_nearest_drawn_one(monkeypatch, blobs):
    z, y = blobs
    monkeypatch.setattr("deepcluster_pl.evaluation.find_levels._ROWS", 300)
    levels = make_levels({"fit": prediction(z, y // 3)}, 3, 0)
    assert len(set(zip(lookup(levels, "fine").tolist(), y.tolist(), strict=True))) == 9
    chosen = levels.offered[levels.chosen]
    assert sum(chosen.sizes) == 900


def test_the_file_has_everything_and_is_the_same_again(tmp_path, blobs):
    z, y = blobs
    levels = make_levels({"fit": prediction(z, y // 3)}, 3, 0)
    levels.save(tmp_path / "levels.json")
    make_levels({"fit": prediction(z, y // 3)}, 3, 0).save(tmp_path / "again.json")
    assert (tmp_path / "levels.json").read_bytes() == (tmp_path / "again.json").read_bytes()
    read = load_levels(tmp_path / "levels.json")
    assert read.to_json() == levels.to_json()
    np.testing.assert_array_equal(read.labels_at(5), levels.labels_at(5))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content["cells"]["fit"].append(99), "a cell is none of those listed"),
        (lambda content: content["tree"]["pairs"].pop(), "another number of joins"),
        (lambda content: content["tree"].update(pairs=[[0, 99]] * 8), "not there yet"),
        (lambda content: content["levels"][0]["group_of_cell"].pop(), "differ in their cells"),
        (lambda content: content.update(schema=2), "schema 2"),
        (lambda content: content.pop("levels"), "levels"),
    ],
)
def test_a_damaged_file_is_refused_in_a_line(tmp_path, blobs, change, message):
    z, y = blobs
    content = make_levels({"fit": prediction(z[:90], y[:90] // 3)}, 3, 0).to_json()
    content = make_levels({"fit": prediction(z, y)}, 9, 0).to_json() if message == "not there yet" else content
    change(content)
    (tmp_path / "levels.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match=message):
        load_levels(tmp_path / "levels.json")
