"""Trainings that go wrong: numbers that are no numbers end the run in one line, empty clusters are reported."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers.command_line import TINY, TINY_DEC

ENDLESS = (
    *(text for text in TINY if not text.startswith(("pretrain.max_epochs", "fit.max_steps"))), "method=idec",
    "callbacks.target_refresh.update_interval=100000", "trainer.log_every_n_steps=3",
)  # fmt: skip
PRETRAIN = ("pretrain.max_epochs=100000", "pretrain.optimizer.lr=1e6", "fit.max_steps=1")
FIT = ("pretrain.max_epochs=1", "fit.max_steps=100000", "fit.optimizer.lr=1e6")


def weights(file):
    return [t for t in torch.load(file, weights_only=True)["state_dict"].values() if t.is_floating_point()]


def assert_ended_in_one_line(run, stage):
    assert run.code == 1
    assert run.err.count("\n") == 1
    assert f"type a smaller {stage}.optimizer.lr" in run.err
    assert not (run.folder / "scores.json").exists()


@pytest.mark.parametrize(("stage", "settings"), [("pretrain", PRETRAIN), ("fit", FIT)])
def test_a_loss_that_is_no_number_ends_the_run_within_an_interval_of_the_log(cli_run, stage, settings):
    run = cli_run(*ENDLESS, *settings)
    assert_ended_in_one_line(run, stage)
    assert "diverged: the loss is " in run.err
    step = int(run.err.split("after step ")[1].split(";")[0])
    assert step % 3 == 0
    assert step <= 60
    files = {path.name for path in (run.folder / "checkpoints").glob("*")}
    assert files == (set() if stage == "pretrain" else {"pretrained.ckpt"})


@pytest.mark.parametrize(("stage", "settings"), [("pretrain", PRETRAIN), ("fit", FIT)])
def test_the_last_checkpoint_is_of_finite_weights(cli_run, stage, settings):
    optimizer = f"optimizer@{stage}.optimizer=sgd"
    run = cli_run(*ENDLESS, *settings, optimizer, "checkpoint_interval=0.000001", "trainer.log_every_n_steps=100000")
    assert_ended_in_one_line(run, stage)
    assert "diverged: weights are NaN or infinite after step " in run.err
    last = torch.load(run.folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["deepcluster_pl"]["stage"] == stage
    assert all(tensor.isfinite().all() for tensor in weights(run.folder / "checkpoints" / "last.ckpt"))
    assert last["global_step"] + 1 == int(run.err.split("after step ")[1].split(";")[0])


def test_a_pretraining_whose_last_step_diverged_is_not_kept_and_not_cached(cli_run, tmp_path):
    settings = ("pretrain.max_epochs=5", "pretrain.optimizer.lr=1e6", "optimizer@pretrain.optimizer=sgd")
    run = cli_run(*TINY, *settings, "trainer.log_every_n_steps=1000", "pretrained=auto", f"cache_dir={tmp_path}/cache")
    assert_ended_in_one_line(run, "pretrain")
    assert not (run.folder / "checkpoints" / "pretrained.ckpt").exists()
    assert list((tmp_path / "cache").rglob("*.ckpt")) == []


def test_a_sweep_goes_on_behind_a_job_that_diverged(cli_run):
    sweep = cli_run("-m", *TINY_DEC, "fit.optimizer.lr=1e30,0.01")
    assert sweep.code == 1
    assert "1 of 2 jobs finished" in sweep.out
    assert (sweep.folder / "1" / "scores.json").exists()


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_copies_of_one_sample_leave_clusters_empty_and_the_run_says_so(cli_run, tmp_path):
    rows = np.repeat(np.array([[0.0, 5.0, 1.0], [9.0, 1.0, 3.0]], dtype=np.float32), 20, axis=0)
    np.save(tmp_path / "x.npy", rows)
    typed = [text for text in TINY_DEC if not text.startswith(("data", "n_clusters"))]
    run = cli_run(*typed, "data=array", f"data.path={tmp_path}/x.npy", "n_clusters=3")
    assert run.code == 0, run.err
    assert run.scores["fit"]["n_empty"] == sum(size == 0 for size in run.scores["fit"]["cluster_sizes"]) == 1
    assert run.scores["fit"]["collapsed"] is False
    assert run.out.count("warning: 1 of 3 clusters are empty at step 0\n") == 1
    assert run.out.count("clusters are empty") == 1
    sizes = run.scores["fit"]["cluster_sizes"]
    assert f"warning: 1 of 3 clusters hold none of the 40 fitted samples; sizes {sizes}\n" in run.out


def test_a_collapse_of_the_fit_is_counted_scored_and_said_once(cli_run):
    run = cli_run(*TINY_DEC, "fit.optimizer.lr=1000.0", "data.holdout=0.25")
    assert run.code == 0, run.err
    assert run.scores["start"]["fit"]["n_empty"] == 0
    assert run.scores["fit"]["n_empty"] == 2
    assert run.scores["fit"]["collapsed"] is True
    assert run.out.count("clusters are empty at step ") == 1
    assert run.out.count("2 of 3 clusters hold none of the 90 fitted samples: the partition collapsed; sizes ") == 1
    assert run.out.count("warning: ") == 2


def test_empty_clusters_are_seeded_anew_where_asked(cli_run):
    run = cli_run(*TINY_DEC, "callbacks.target_refresh.reseed_empty=true", "fit.optimizer.lr=1000.0", "fit.max_steps=6")
    assert run.code == 0, run.err
    assert ", after the centers of " in run.out


def test_a_healthy_run_warns_of_nothing(cli_run):
    run = cli_run(*TINY_DEC)
    assert run.scores["fit"]["n_empty"] == 0
    assert "warning" not in run.out
