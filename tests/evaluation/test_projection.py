"""The map: two principal components, or UMAP of a sample with the others put among it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs

from deepcluster_pl.errors import UserError
from deepcluster_pl.evaluation import projection as mapping
from deepcluster_pl.evaluation.predictions import Prediction
from deepcluster_pl.evaluation.projection import check_map, map_coordinates


def of(z):
    z = torch.as_tensor(z, dtype=torch.float32)
    return Prediction(z, torch.zeros(len(z)).long(), torch.ones(len(z)), torch.zeros(len(z)))


def test_principal_components_are_those_of_the_fitted_part():
    z = np.random.default_rng(0).normal(size=(50, 4)) * [5, 3, 1, 0.1]
    places = map_coordinates({"fit": of(z[:40]), "holdout": of(z[40:])}, "pca", 0)
    middle = z[:40].mean(axis=0)
    axes = np.linalg.svd(z[:40] - middle, full_matrices=False)[2][:2]
    for part, rows in (("fit", slice(40)), ("holdout", slice(40, 50))):
        np.testing.assert_allclose(np.abs(places[part]), np.abs((z[rows] - middle) @ axes.T), atol=1e-4)
    assert (map_coordinates({"fit": of(z[:, :1])}, "pca", 0)["fit"][:, 1] == 0).all()


def test_umap_keeps_groups_together_and_puts_the_others_among_them(monkeypatch):
    pytest.importorskip("umap", reason="needs umap-learn (extra umap)")
    monkeypatch.setattr(mapping, "_LAID_OUT", 90)
    z, groups = make_blobs(150, 5, centers=3, random_state=0)
    z = np.vstack([z, z[:20]])
    places = map_coordinates({"fit": of(z[:150]), "holdout": of(z[150:])}, "umap", 0)
    again = map_coordinates({"fit": of(z[:150]), "holdout": of(z[150:])}, "umap", 0)
    np.testing.assert_array_equal(places["fit"], again["fit"])
    middles = np.stack([places["fit"][groups == k].mean(axis=0) for k in range(3)])
    everything, truth = np.vstack([places["fit"], places["holdout"]]), np.concatenate([groups, groups[:20]])
    nearest = np.linalg.norm(everything[:, None] - middles, axis=2).argmin(axis=1)
    assert (nearest == truth).all()


def test_copies_of_a_few_samples_have_a_map_all_the_same():
    z = np.repeat(np.eye(3), 5, axis=0)
    assert np.isfinite(map_coordinates({"fit": of(z)}, "umap", 0)["fit"]).all()


def test_a_map_without_its_package_is_refused_before_training(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "umap", None)
    check_map("pca")
    with pytest.raises(UserError, match=r"map=umap needs umap-learn .*deepcluster_pl\[umap\]"):
        check_map("umap")
