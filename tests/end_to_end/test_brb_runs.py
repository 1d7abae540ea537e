"""Runs with `callbacks=brb`, as a user types them."""

from __future__ import annotations

import pytest
import torch
from helpers.command_line import TINY_DEC
from sklearn.datasets import make_blobs

from deepcluster_pl import load_model
from deepcluster_pl.training.callbacks.cluster_metrics import ClusterMetrics

# 120 samples, 32 a batch: an epoch is 4 steps, and resets come before steps 5, 9, 13 and 17
BRB = (*(text for text in TINY_DEC if not text.startswith("method=")), "callbacks=brb",
       "callbacks.weight_reset.interval=1")  # fmt: skip


@pytest.mark.parametrize("method", ["dec", "idec", "dcn", "dkm"])
def test_a_run_resets_and_its_model_says_what_the_run_said(cli_run, method):
    run = cli_run(*BRB, f"method={method}")
    assert run.code == 0, run.err
    assert (run.scores["stopped"], run.scores["steps"]) == ("max_steps", 20)
    lines = (run.folder / "fit" / "metrics.csv").read_text().splitlines()
    looks = [int(line.split(",")[0]) for line in lines if ",clusters/confidence," in line]
    assert looks == [0, 4, 5, 8, 10, 12, 15, 16, 20]
    plain = cli_run(*BRB[:-2], "callbacks=refresh", f"method={method}", name="plain")
    assert plain.labels != run.labels
    model = load_model(run.folder / "model")
    x, _ = make_blobs(120, 6, centers=3, cluster_std=1.0, random_state=0)
    with torch.no_grad():
        q = model.assign(model.net.encode(model.net.prepare(torch.as_tensor(x, dtype=torch.float32))))
    assert q.argmax(1).tolist() == [int(row["cluster"]) for row in run.assignments]


@pytest.mark.parametrize("cut_at", [2, 5])
def test_a_run_cut_at_a_reset_or_between_two_is_resumed_exactly(cli_run, monkeypatch, cut_at):
    whole = cli_run(*BRB, "method=idec", name="whole")
    calls, original = [], ClusterMetrics.on_refresh

    def cut(*args):
        calls.append(args)
        if len(calls) == cut_at:
            raise RuntimeError("power cut")
        original(*args)

    with monkeypatch.context() as patch:
        patch.setattr(ClusterMetrics, "on_refresh", cut)
        broken = cli_run(*BRB, "method=idec", "checkpoint_interval=0.000001", name="cut")
    assert broken.code == 1
    resumed = cli_run(f"resume={broken.folder}", name="cut")
    assert resumed.code == 0, resumed.err
    assert resumed.labels == whole.labels
    ends = [torch.load(run.folder / "checkpoints" / "final.ckpt", weights_only=True) for run in (whole, resumed)]
    assert all(torch.equal(ends[0]["state_dict"][name], ends[1]["state_dict"][name]) for name in ends[0]["state_dict"])


def test_a_fit_too_short_for_a_reset_is_refused_in_one_line(cli_run):
    run = cli_run(*BRB, "method=dec", "callbacks.weight_reset.interval=3")
    assert run.code == 1
    assert "pretrain " not in run.out
    assert run.err.count("\n") == 1
    assert "type fit.max_steps=24 or more" in run.err
