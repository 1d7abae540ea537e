"""Runs whose training batches are distorted, as a user types them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from helpers.command_line import TINY_DEC

from deepcluster_pl import load_model
from deepcluster_pl.config.compose import compose_recipe
from deepcluster_pl.config.fingerprints import pretraining_fingerprint
from deepcluster_pl.config.nodes import with_augment, without_hydra
from deepcluster_pl.data.auto_distortions import AutoAffine
from deepcluster_pl.training.callbacks.cluster_metrics import ClusterMetrics

IMAGES = (*TINY_DEC[4:], "data=digits", "data.subset.size=150", "augment=affine")

TYPED = ("augment.shift=0", "augment.shear=0", "augment.zoom=0", "augment.flip=false")
"""Amounts beside which augment=auto looks for rotations alone, since a test has little time."""


def digits(*others):
    return [text for text in IMAGES if not text.startswith("method=")] + list(others)


@pytest.mark.parametrize("method", ["dec", "idec", "scan", "vade"])
def test_a_distorted_run_differs_from_a_clean_one_and_repeats(cli_run, method):
    first = cli_run(*digits(f"method={method}"), name="first")
    assert first.code == 0, first.err
    again = cli_run(*digits(f"method={method}"), name="again")
    clean = cli_run(*digits(f"method={method}", "augment=none"), name="clean")
    assert again.labels == first.labels
    assert clean.labels != first.labels
    files = [run.folder / "checkpoints" / "pretrained.ckpt" for run in (first, clean)]
    distorted, undistorted = (torch.load(file, weights_only=True)["state_dict"] for file in files)
    assert not torch.equal(distorted["net.encoder.1.weight"], undistorted["net.encoder.1.weight"])


@pytest.mark.parametrize("method", ["idec", "scan", "vade"])
def test_a_resumed_run_draws_what_the_whole_one_drew(cli_run, monkeypatch, method):
    typed = digits(f"method={method}")
    if method == "idec":  # one of them with amounts that it finds
        typed = [*digits("method=idec", "augment=auto", *TYPED), "data.subset.size=220"]
    whole = cli_run(*typed, name="whole")
    calls, original = [], ClusterMetrics.on_refresh

    def cut_at_the_third(*args):
        calls.append(args)
        if len(calls) == 3:
            raise RuntimeError("power cut")
        original(*args)

    with monkeypatch.context() as patch:
        patch.setattr(ClusterMetrics, "on_refresh", cut_at_the_third)
        cut = cli_run(*typed, "checkpoint_interval=0.000001", name="cut")
    assert cut.code == 1
    monkeypatch.setattr(AutoAffine, "find", None)  # what was found is read, and not looked for again
    resumed = cli_run(f"resume={cut.folder}", name="cut")
    assert resumed.code == 0, resumed.err
    assert resumed.labels == whole.labels
    if method == "idec":
        found = json.loads((cut.folder / "distortions.json").read_text())
        line = f"distortions by neighbors: shift 0, rotation {found['rotation']:g}, shear 0, zoom 0, no mirror images"
        assert found["rotation"] > 0
        assert line in whole.out
        assert line in resumed.out
        description = json.loads((whole.folder / "model" / "model.json").read_text())
        assert description["method"]["augment"]["rotation"] == found["rotation"]


@pytest.mark.parametrize("method", ["idec", "scan", "vade"])
def test_a_saved_model_is_read_with_its_distortion_and_predicts_clean(cli_run, method):
    run = cli_run(*digits(f"method={method}"))
    description = json.loads((run.folder / "model" / "model.json").read_text())
    assert description["method"]["augment"]["rotation"] == 10.0
    model = load_model(run.folder / "model")
    x = torch.as_tensor(np.random.default_rng(0).integers(0, 16, (4, 8, 8)).astype(np.float32))
    with torch.no_grad():
        q = [model.assign(model.net.encode(model.net.prepare(x))) for _ in range(2)]
    assert torch.equal(*q)


def test_a_convolutional_net_is_pretrained_fitted_and_read_back(cli_run):
    typed = [text for text in digits("method=idec") if not text.startswith("net.")]
    run = cli_run(*typed, "net=conv_autoencoder", "net.channels=[4,8]", "net.kernel_sizes=[3,3]", "net.latent_dim=4")
    assert run.code == 0, run.err
    model = load_model(run.folder / "model")
    assert model.net.decode(model.net.encode(torch.zeros(2, 8, 8))).shape == (2, 8, 8)
    tables = cli_run(*TINY_DEC[:4], "method=idec", "net=conv_autoencoder", name="table")
    assert tables.code == 1
    assert "reads images (height x width); found samples of 6; type net=mlp_autoencoder" in tables.err


def test_a_table_cannot_be_turned(cli_run):
    run = cli_run(*TINY_DEC, "augment=affine")
    assert run.code == 1
    assert "distorts images (height x width); found samples of 6; type augment=none" in run.err


def test_the_cache_tells_nets_by_the_amounts_that_were_found():
    typed_words = (["method=da/ae_kmeans", f"augment={choice}"] for choice in ("auto", "affine"))
    auto, typed = (without_hydra(compose_recipe(words)) for words in typed_words)
    node = {"shift": 0.1, "rotation": 10.0, "shear": 0.0, "zoom": 0.0, "flip": False}
    node |= {"_target_": typed.augment._target_, "fill": "nearest", "seed": 0}
    same, other = (pretraining_fingerprint(with_augment(auto, node | {"rotation": r})) for r in (10.0, 20.0))
    assert same == pretraining_fingerprint(typed)
    assert other != same
