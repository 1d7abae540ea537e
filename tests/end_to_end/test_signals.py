"""Signals during training: a checkpoint, a line with the command that resumes, and the shell's exit code."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from helpers.command_line import TINY_DEC, Outcome
from helpers.processes import CommandProcess

from deepcluster_pl.methods.dec import DEC
from deepcluster_pl.runs.trainer import _no_search_for_gpus
from deepcluster_pl.training.callbacks.interruption import InterruptionHandler

LONG = (*TINY_DEC, "fit.max_steps=1000000", "data.n_samples=400", "checkpoint_interval=600")


def wait_for_training(process, folder):
    curves = folder / "fit" / "metrics.csv"
    deadline = time.monotonic() + 300  # a busy machine takes long to import torch
    while time.monotonic() < deadline and process.poll() is None:
        if curves.exists() and "clusters/changed" in curves.read_text():
            return
        time.sleep(0.1)
    raise AssertionError(f"training never began: {process.communicate()}")


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_leaves_a_checkpoint_that_resume_goes_on_from(cli_run, tmp_path, sent, code):
    folder = tmp_path / "cut"
    process = CommandProcess([*LONG, f"hydra.run.dir={folder}"], tmp_path)
    wait_for_training(process, folder)
    process.send_signal(sent)
    out, err = process.communicate(timeout=300)
    assert process.returncode == code
    assert err == f"interrupted; type deepcluster resume={folder} to continue\n"
    assert (folder / "checkpoints" / "last.ckpt").is_file()
    assert "everything is in" not in out
    config = folder / "config" / "config.yaml"
    config.write_text(config.read_text().replace("max_steps: 1000000", "max_steps: 1"))
    resumed: Outcome = cli_run(f"resume={folder}", name="cut")
    assert resumed.code == 0, resumed.err
    assert resumed.scores["steps"] >= 5


def test_a_signal_during_a_sweep_names_the_sweep(tmp_path):
    folder = tmp_path / "sweep"
    process = CommandProcess(["-m", *LONG, "seed=0,1", f"hydra.sweep.dir={folder}"], tmp_path)
    wait_for_training(process, folder / "0")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 143
    assert err == f"interrupted; type deepcluster resume={folder} to continue\n"
    assert (folder / "0" / "checkpoints" / "last.ckpt").is_file()
    assert not (folder / "1").exists()


def test_a_signal_that_was_to_be_ignored_stays_so(tmp_path):
    earlier = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what nohup does
    listening = InterruptionHandler(tmp_path, tmp_path / "last.ckpt", 60)
    try:
        listening.on_train_start(None, None)
        during = signal.getsignal(signal.SIGHUP), signal.getsignal(signal.SIGTERM)
        listening.on_train_end(None, None)
        assert during == (signal.SIG_IGN, listening._on_signal)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, earlier)


def test_a_signal_behind_the_last_step_of_a_stage_stops_before_the_next(cli_run, monkeypatch):
    whole = cli_run(*TINY_DEC, name="whole")
    original = InterruptionHandler.on_train_end

    def late(self, *args):
        signal.raise_signal(signal.SIGTERM)
        original(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(InterruptionHandler, "on_train_end", late)
        cut = cli_run(*TINY_DEC, name="cut")
    assert cut.code == 143
    assert cut.err == f"interrupted; type deepcluster resume={cut.folder} to continue\n"
    assert not (cut.folder / "start.safetensors").exists()
    resumed = cli_run(f"resume={cut.folder}", name="cut")
    assert resumed.code == 0, resumed.err
    assert resumed.labels == whole.labels


def test_a_checkpoint_is_kept_every_interval_and_behind_the_callbacks(cli_run, monkeypatch):
    kept = []

    def noted(trainer, path, *args, **kwargs):
        kept.append((Path(path).name, trainer.global_step))
        return original(trainer, path, *args, **kwargs)

    original = pl.Trainer.save_checkpoint
    monkeypatch.setattr(pl.Trainer, "save_checkpoint", noted)
    run = cli_run(*TINY_DEC, "checkpoint_interval=1e-9", name="often")
    assert run.code == 0, run.err
    assert [step for name, step in kept if name == "last.ckpt"] == [*range(1, 13), *range(1, 21)]
    kept.clear()
    cli_run(*TINY_DEC, "checkpoint_interval=1000", name="seldom")
    assert [name for name, _ in kept] == ["pretrained.ckpt", "final.ckpt"]


@pytest.mark.parametrize("before", [None, "0"])
def test_what_hides_gpus_from_a_run_on_the_cpu_is_taken_back(cli_run, monkeypatch, before):
    if before is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", before)
    seen = []
    monkeypatch.setattr(
        DEC, "on_train_start", lambda self: seen.append(os.environ["CUDA_VISIBLE_DEVICES"]), raising=False
    )
    assert cli_run(*TINY_DEC).code == 0
    assert seen == [""]
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == before


def test_where_there_is_a_gpu_a_run_on_the_cpu_hides_nothing(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with _no_search_for_gpus(torch.device("cpu")):
        assert "CUDA_VISIBLE_DEVICES" not in os.environ
