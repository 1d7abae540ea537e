"""Runs whose autoencoder is trained layer by layer, as a user types them."""

from __future__ import annotations

import torch
from helpers.command_line import TINY

from deepcluster_pl import load_model
from deepcluster_pl.data.sources.synthetic import Blobs
from deepcluster_pl.training.pretraining.layerwise import LayerwiseDenoising

# 120 samples in batches of 32 are 4 steps an epoch; two layers with two epochs each, then two epochs for all
LAYERWISE = ("pretrain=layerwise", "pretrain.max_epochs=6", "pretrain.module.epochs_per_layer=2")
TYPED = (
    *TINY, *LAYERWISE, "method=ae_kmeans", "optimizer@pretrain.optimizer=sgd", "pretrain.module.decay_every=1",
    "baselines=none",
)  # fmt: skip


def weights(run):
    return torch.load(run.folder / "checkpoints" / "pretrained.ckpt", weights_only=True)["state_dict"]


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_a_run_is_trained_saved_and_read_back(cli_run, common):
    run = cli_run(*TYPED, "data.holdout=0.2")
    assert run.code == 0, run.err
    metrics = (run.folder / "pretrain" / "metrics.csv").read_text()
    logged = {line.split(",")[2]: 0 for line in metrics.splitlines()[1:] if ",pretrain/" in line}
    assert list(logged) == [
        "pretrain/mse_holdout", "pretrain/mse_layer_1", "pretrain/mse_layer_2", "pretrain/mse",
    ]  # fmt: skip
    model = load_model(run.folder / "model")
    data = Blobs(120, 6, 3, 1.0, 0, **common(scale="standard", holdout=0.2, name="blobs"))
    x = torch.as_tensor(data.load().x)
    clusters = model.assign(model.net.encode(model.net.prepare(x))).argmax(dim=1).tolist()
    assert {row["id"]: row["cluster"] for row in run.assignments} == {str(i): str(c) for i, c in enumerate(clusters)}


def test_a_run_cut_in_or_between_phases_goes_on_as_if_it_had_not_been(cli_run, monkeypatch):
    whole = cli_run(*TYPED, name="whole")
    original = LayerwiseDenoising.training_step
    for step in (9, 10, 17):  # the first of the second layer, the next one, the first of the whole net
        calls = []

        def cut(*args, calls=calls, step=step):
            calls.append(args)
            if len(calls) == step:
                raise RuntimeError("power cut")
            return original(*args)

        with monkeypatch.context() as patch:
            patch.setattr(LayerwiseDenoising, "training_step", cut)
            run = cli_run(*TYPED, "checkpoint_interval=0.000001", name=f"cut{step}")
        assert run.code == 1
        resumed = cli_run(f"resume={run.folder}", name=f"cut{step}")
        assert resumed.code == 0, resumed.err
        assert same(weights(resumed), weights(whole))
        assert resumed.labels == whole.labels


def test_longer_pretraining_goes_on_from_the_end_of_a_short_one(cli_run):
    short = cli_run(*TYPED, "pretrain.max_epochs=5", name="short")
    further = cli_run(*TYPED, f"ckpt_path={short.folder}/checkpoints/pretrained.ckpt", name="further")
    assert further.code == 0, further.err
    assert same(weights(further), weights(cli_run(*TYPED, name="straight")))


def test_the_cache_tells_layerwise_from_reconstruction_and_their_settings_apart(cli_run, tmp_path):
    auto = ("pretrained=auto", f"cache_dir={tmp_path}/cache", "baselines=none")
    common = (*TINY, *auto, "method=ae_kmeans", "pretrain.max_epochs=6")
    layerwise = (*common, "pretrain=layerwise", "pretrain.module.epochs_per_layer=2")
    choices = {
        "plain": common, "layers": layerwise, "again": layerwise,
        "dropout": (*layerwise, "pretrain.module.dropout=0.1"),
    }  # fmt: skip
    runs = {name: cli_run(*typed, name=name) for name, typed in choices.items()}
    assert {run.code for run in runs.values()} == {0}
    trained = {name: (run.folder / "pretrain").exists() for name, run in runs.items()}
    assert trained == {"plain": True, "layers": True, "again": False, "dropout": True}
    assert same(weights(runs["again"]), weights(runs["layers"]))
    assert not same(weights(runs["layers"]), weights(runs["plain"]))


def test_a_sweep_spans_both_ways_of_pretraining(cli_run):
    typed = ("-m", *TINY, "method=ae_kmeans", "pretrain.max_epochs=42", "baselines=none")
    sweep = cli_run(*typed, "pretrain=layerwise,reconstruction,none")
    assert sweep.code == 0, sweep.err
    found = [(sweep.folder / job / "checkpoints" / "pretrained.ckpt").exists() for job in "012"]
    assert found == [True, True, False]


def test_too_few_epochs_are_said_in_one_line(cli_run):
    run = cli_run(*TINY, "method=ae_kmeans", "pretrain=layerwise")
    assert run.code == 1
    assert run.err.count("\n") == 1
    assert "type pretrain.max_epochs=41 or more, or pretrain.module.epochs_per_layer=1 or fewer" in run.err
