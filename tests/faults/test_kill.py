"""Killed at any moment, a run goes on and ends with the labels and weights of one that was left alone."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest
import torch
from helpers.command_line import TINY_DEC, Outcome
from helpers.processes import CommandProcess, run_command

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
OFTEN = (*TINY_DEC, "checkpoint_interval=0.000001", "pretrain.max_epochs=20", "fit.max_steps=120")


def start(folder, *overrides):
    return CommandProcess([*overrides, f"hydra.run.dir={folder}"], folder.parent)


def wait_for(process, there, seconds=120):
    deadline = time.monotonic() + seconds
    while not there():
        assert process.poll() is None, (process.out, process.err)
        assert time.monotonic() < deadline
        time.sleep(0.01)


def weights(folder):
    return torch.load(folder / "checkpoints" / "final.ckpt", weights_only=True)["state_dict"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The same run, left alone; processes that load batches change nothing."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    done = run_command([*OFTEN, f"hydra.run.dir={folder}"], folder.parent)
    return Outcome(done.returncode, done.stdout, done.stderr, folder)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("stage", ["pretrain", "fit"])
def test_a_run_killed_in_the_middle_of_an_epoch_ends_as_if_it_had_not_been(cli_run, whole, tmp_path, stage, workers):
    settings = (*OFTEN, f"data.num_workers={workers}", "data.residency=disk")
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
    assert resumed.scores["steps"] == 120
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


def test_a_run_killed_while_it_writes_a_checkpoint_keeps_the_one_before(cli_run, whole, tmp_path):
    folder = tmp_path / "cut"
    process = CommandProcess([*OFTEN, f"hydra.run.dir={folder}"], tmp_path, program=WRITER)
    process.wait_for_line("writing")
    assert len(list((folder / "checkpoints").glob(".last.ckpt.*.part"))) == 1
    process.kill()
    process.communicate()
    kept = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert kept["global_step"] == 5
    resumed = cli_run(f"resume={folder}", name="cut")
    assert resumed.code == 0, resumed.err
    assert resumed.labels == whole.labels
    assert list(folder.rglob("*.part")) == []


def test_a_run_killed_while_single_layers_are_trained_ends_as_if_it_had_not_been(cli_run, tmp_path):
    layers = (*TINY_DEC, "pretrain=layerwise", "net.dims=[16,8,4]", "pretrain.max_epochs=24", "baselines=none",
              "pretrain.module.epochs_per_layer=6", "checkpoint_interval=0.000001", "logger=none")  # fmt: skip
    program = """
import os, signal
from deepcluster_pl.cli import main as cli
from deepcluster_pl.training.pretraining.layerwise import LayerwiseDenoising as Layers
original = Layers.training_step
def killed(self, batch, batch_idx):
    if self.current_epoch == 8 and batch_idx == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(self, batch, batch_idx)
Layers.training_step = killed
cli.main()
"""
    alone = cli_run(*layers, name="alone")
    assert alone.code == 0, alone.err
    cut = run_command([*layers, f"hydra.run.dir={tmp_path / 'cut'}"], tmp_path, program=program)
    assert cut.returncode == -signal.SIGKILL, cut.stderr
    resumed = cli_run(f"resume={tmp_path / 'cut'}", name="cut")
    assert resumed.code == 0, resumed.err
    assert resumed.labels == alone.labels
    before, after = weights(alone.folder), weights(tmp_path / "cut")
    assert all(torch.equal(before[name], after[name]) for name in before)
