"""VaDE as a user types it: from a mixture on the code to a model that is read back."""

from __future__ import annotations

import csv

import pytest
import torch
from helpers.command_line import TINY
from sklearn.datasets import make_blobs

from deepcluster_pl import load_model
from deepcluster_pl.methods.initialization.initial_clustering import Initialization


def typed(*others):
    refresh = ("callbacks.target_refresh.update_interval=20", "callbacks.target_refresh.tol=0")
    return (*TINY, "method=vade", *refresh, *others)


def test_a_run_learns_keeps_the_groups_and_its_model_says_what_the_run_said(cli_run):
    run = cli_run(*typed("pretrain.max_epochs=20", "fit.max_steps=60", "trainer.log_every_n_steps=2"))
    assert run.code == 0, run.err
    assert run.scores["fit"]["nmi"] > 0.9  # three groups far apart
    with (run.folder / "fit" / "metrics.csv").open(newline="") as file:
        rows = [(row["metric"], float(row["value"])) for row in csv.DictReader(file)]
    terms = [[value for name, value in rows if name == f"fit/{term}"] for term in ("reconstruction", "kl")]
    bound = [sum(pair) for pair in zip(*terms, strict=True)]
    assert sum(bound[-10:]) < sum(bound[:10])
    model = load_model(run.folder / "model")
    x, _ = make_blobs(120, 6, centers=3, cluster_std=1.0, random_state=0)
    with torch.no_grad():
        shares = model.assign(model.net.encode(model.net.prepare(torch.as_tensor(x, dtype=torch.float32))))
    said = run.assignments
    assert shares.argmax(dim=1).tolist() == [int(row["cluster"]) for row in said]
    assert shares.max(dim=1).values.tolist() == pytest.approx([float(row["confidence"]) for row in said], abs=1e-4)


def test_it_begins_with_a_diagonal_mixture(cli_run):
    run = cli_run(*typed())
    start = Initialization.load(run.folder / "start.safetensors")
    assert start.precisions_cholesky.shape == start.centers.shape
    mixture = cli_run(*TINY, "method=ae_gmm", "start.covariance_type=diag", name="mixture")
    assert run.scores["start"]["fit"] == mixture.scores["fit"]
