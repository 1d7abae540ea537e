"""Killed at any moment, a run goes on and ends with the labels and weights of one that was left alone."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest
import torch
from helpers.command_line import TINY_DEC

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
OFTEN = (*TINY_DEC, "checkpoint_interval=0.000001", "pretrain.max_epochs=40", "fit.max_steps=300")


def start(folder, *overrides):
    command = [sys.executable, "-m", "deepcluster_pl", *overrides, f"hydra.run.dir={folder}"]
    return subprocess.Popen(
        command, cwd=folder.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def wait_for(process, there, seconds=120):
    deadline = time.monotonic() + seconds
    while not there():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def weights(folder):
    return torch.load(folder / "checkpoints" / "final.ckpt", weights_only=True)["state_dict"]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("stage", ["pretrain", "fit"])
def test_a_run_killed_in_the_middle_of_an_epoch_ends_as_if_it_had_not_been(cli_run, tmp_path, stage, workers):
    settings = (*OFTEN, f"data.num_workers={workers}", "data.residency=disk")
    whole = cli_run(*settings, name="whole")
    assert whole.code == 0, whole.err
    folder = tmp_path / "cut"
    done = {"pretrain": "last.ckpt", "fit": "pretrained.ckpt"}[stage]
    process = start(folder, *settings)
    wait_for(process, (folder / "checkpoints" / done).exists)
    if stage == "fit":
        wait_for(process, lambda: torch_stage(folder) == "fit")
    time.sleep(random.Random(workers).uniform(0, 0.2))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (folder / "scores.json").exists()
    resumed = cli_run(f"resume={folder}", name="cut")
    assert resumed.code == 0, resumed.err
    assert resumed.labels == whole.labels
    assert resumed.scores["steps"] == 300
    before, after = weights(whole.folder), weights(folder)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert list(folder.rglob("*.part")) == []
    assert not (folder / "run.lock").exists()


def torch_stage(folder):
    try:
        return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["deepcluster_pl"]["stage"]
    except (OSError, RuntimeError, EOFError):
        return None


WRITER = """
import sys, time
import deepcluster_pl.training.checkpoints as checkpoints
from deepcluster_pl.cli import main as cli
original, calls = checkpoints.torch.save, []
def half(content, file):
    original(content, file)
    calls.append(1)
    if len(calls) == 6:
        file.flush()
        file.truncate(file.tell() // 2)
        print("writing", flush=True)
        time.sleep(600)
checkpoints.torch.save = half
cli.main()
"""


def test_a_run_killed_while_it_writes_a_checkpoint_keeps_the_one_before(cli_run, tmp_path):
    whole = cli_run(*OFTEN, name="whole")
    folder = tmp_path / "cut"
    command = [sys.executable, "-c", WRITER, *OFTEN, f"hydra.run.dir={folder}"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    while "writing" not in (line := process.stdout.readline()):
        assert line, "the run ended early"
    assert len(list((folder / "checkpoints").glob(".last.ckpt.*.part"))) == 1
    process.kill()
    process.communicate()
    kept = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert kept["global_step"] == 5
    resumed = cli_run(f"resume={folder}", name="cut")
    assert resumed.code == 0, resumed.err
    assert resumed.labels == whole.labels
    assert list(folder.rglob("*.part")) == []
