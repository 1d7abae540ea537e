"""Runs that start on the manifold, as a user types them, and what is said where umap-learn is missing."""

from __future__ import annotations

import importlib.util
import sys

import pytest
import torch
from helpers.command_line import TINY

from deepcluster_pl import load_model
from deepcluster_pl.methods.initialization.initial_clustering import Initialization

needs_umap = pytest.mark.skipif(
    importlib.util.find_spec("umap") is None,
    reason="umap-learn is not installed; pip install 'deepcluster_pl[umap]'",
)


@pytest.mark.parametrize("broken", ["missing", "another"])
def test_without_umap_learn_one_line_says_what_to_install_before_any_data_is_read(cli_run, monkeypatch, broken):
    monkeypatch.setitem(sys.modules, "umap", None if broken == "missing" else sys)
    run = cli_run("method=n2d", "data=array", "data.path=not_there.npy")
    assert run.code == 1
    assert "start=umap needs umap-learn" in run.err
    assert "type pip install 'deepcluster_pl[umap]'" in run.err
    assert len(run.err.strip().splitlines()) == 1


@needs_umap
def test_a_run_holds_out_samples_and_its_model_is_read_back_with_the_same_clusters(cli_run):
    run = cli_run(*TINY, "method=n2d", "data.holdout=0.25", "start.n_epochs=30", "start.mixture.n_init=1")
    assert run.code == 0, run.err
    assert run.scores["start"]["fit"]["acc"] == run.scores["fit"]["acc"]
    model = load_model(run.folder / "model")
    kept = Initialization.load(run.folder / "start.safetensors")
    assert torch.equal(model.places, kept.places)
    clusters = [int(row["cluster"]) for row in run.assignments if row["part"] == "fit"]
    assert kept.labels.tolist() == clusters
    assert model.assign(kept.codes).argmax(dim=1).tolist() == clusters


@needs_umap
def test_it_starts_methods_that_learn(cli_run):
    run = cli_run(*TINY, "method=dec", "start=umap", "start.n_epochs=30")
    assert run.code == 0, run.err
    assert run.scores["steps"] > 0
