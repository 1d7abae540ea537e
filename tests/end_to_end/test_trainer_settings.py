"""Settings typed as `trainer.<name>=` reach the Trainer of both stages, and a run that ends early writes results."""

from __future__ import annotations

import time

import pytest
import torch
from helpers.command_line import TINY, TINY_DEC

from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.fingerprints import pretraining_fingerprint
from deepcluster_pl.config.nodes import without_hydra


def steps_of(run, name):
    return torch.load(run.folder / "checkpoints" / f"{name}.ckpt", weights_only=True)["global_step"]


def test_all_settings_together_give_a_run(cli_run):
    run = cli_run(
        *TINY_DEC, "data.holdout=0.2", "trainer.benchmark=true", "trainer.gradient_clip_val=1.0",
        "trainer.gradient_clip_algorithm=value", "trainer.sync_batchnorm=true", "trainer.check_val_every_n_epoch=2",
        "trainer.inference_mode=false", "trainer.detect_anomaly=true", "trainer.log_every_n_steps=5",
        "trainer.enable_progress_bar=false", "trainer.max_time=00:01:00:00",
    )  # fmt: skip
    assert run.code == 0, run.err
    assert (run.scores["stopped"], run.scores["steps"]) == ("max_steps", 20)
    assert "stopped by trainer.max_time" not in run.out
    curve = (run.folder / "pretrain" / "metrics.csv").read_text()
    assert curve.count("holdout") >= 1


def test_blocks_of_steps_change_no_label_and_no_curve(cli_run):
    quick = (*TINY_DEC, "baselines=none", "trainer.log_every_n_steps=7")
    single = cli_run(*quick, "trainer.steps_per_block=1", name="single")
    blocks = cli_run(*quick, name="blocks")
    assert (single.code, blocks.code) == (0, 0), single.err + blocks.err
    assert single.labels == blocks.labels
    for stage in ("pretrain", "fit"):
        files = [run.folder / stage / "metrics.csv" for run in (single, blocks)]
        assert files[0].read_bytes() == files[1].read_bytes()


def test_gradients_add_up_over_batches_in_both_stages(cli_run):
    run = cli_run(*TINY_DEC, "trainer.accumulate_grad_batches=2")
    assert run.code == 0, run.err
    assert steps_of(run, "pretrained") == 3 * 2  # 4 batches to an epoch of 120 samples, 3 epochs
    assert run.scores["steps"] == steps_of(run, "final") == 20


def test_a_stage_ends_when_its_time_is_over_and_the_results_are_written(cli_run):
    endless = ("callbacks.target_refresh.tol=0", "pretrain.max_epochs=100000", "fit.max_steps=1000000")
    began = time.monotonic()
    run = cli_run(*TINY, "method=dec", *endless, "trainer.max_time=00:00:00:01", name="short")
    assert run.code == 0, run.err
    assert time.monotonic() - began < 60
    assert "pretrain: stopped by trainer.max_time after " in run.out
    assert "fit: stopped by trainer.max_time after " in run.out
    assert run.scores["stopped"] == "max_time"
    assert 0 < run.scores["steps"] < 1000000
    assert "as its time was over" in (run.folder / "report.html").read_text()
    again = cli_run(f"resume={run.folder}", name="short")
    assert again.code == 0, again.err
    assert (again.scores["stopped"], again.scores["steps"]) == ("max_time", run.scores["steps"])
    assert again.labels == run.labels


def test_no_time_at_all_leaves_the_start(cli_run):
    run = cli_run(*TINY_DEC, "trainer.max_time=00:00:00:00")
    assert run.code == 0, run.err
    assert (run.scores["stopped"], run.scores["steps"]) == ("max_time", 0)


SETTINGS = ("max_time=00:01:00:00", "accumulate_grad_batches=2", "gradient_clip_algorithm=norm", "gradient_clip_val=1")


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_net_that_was_pretrained_otherwise_is_not_reused(setting):
    plain, changed = (without_hydra(compose_checked(typed).cfg) for typed in ([], [f"trainer.{setting}"]))
    assert pretraining_fingerprint(plain) != pretraining_fingerprint(changed)
