"""Several processes on one run: the same numbers as one, one voice, and none left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import pytest
import torch
from end_to_end.test_signals import wait_for_training
from helpers.command_line import TINY, TINY_DEC, Outcome
from helpers.processes import CommandProcess

TWO = ("trainer.strategy=ddp", "trainer.devices=2")
UNEVEN = ("data.n_samples=126", "data.holdout=0.2")  # batches of 32, 32, 32 and 5: the last splits into 3 and 2


def targets(folder):
    content = torch.load(folder / "checkpoints" / "final.ckpt", weights_only=True)
    return content["callbacks"]["TargetRefresh"]["targets"]


def files(folder):
    return sorted(path.name.split(".tfevents")[0] for path in folder.rglob("*"))


def others_of(process):
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in found.stdout.split()]


def gone(pid, within=60):
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
        if not state.stdout.strip() or state.stdout.startswith("Z"):
            return True
        time.sleep(0.2)
    return False


def start(folder, *arguments):
    return CommandProcess([*arguments, f"hydra.run.dir={folder}"], folder.parent)


def test_a_part_with_fewer_rows_than_processes_is_no_trouble(cli_run, tmp_path):
    recipe = (*TINY_DEC, "data.n_samples=101", "data.holdout=0.01")
    one, two = cli_run(*recipe, name="one"), Outcome(0, "", "", tmp_path / "two")
    both_ranks(two.folder, *recipe)
    assert two.scores["holdout"]["n"] == one.scores["holdout"]["n"] == 1
    assert [cluster for cluster, _ in two.labels] == [cluster for cluster, _ in one.labels]


def test_two_processes_come_to_the_targets_and_labels_of_one(cli_run):
    recipe = (*TINY_DEC, *UNEVEN, "method=idec", "guard=true")
    one = cli_run(*recipe, name="one")
    two = cli_run(*recipe, *TWO, name="two")
    assert two.code == 0, two.err
    assert two.err == ""
    torch.testing.assert_close(targets(two.folder), targets(one.folder), atol=1e-5, rtol=0)
    assert [cluster for cluster, _ in two.labels] == [cluster for cluster, _ in one.labels]
    assert two.scores["kept"] == one.scores["kept"] is not None
    assert (one.scores["machine"]["processes"], two.scores["machine"]["processes"]) == (1, 2)
    assert files(two.folder) == files(one.folder)
    assert two.out.count("everything is in") == 1


QUICK = ("baselines=none", "logger=none", "fit.max_steps=12", "pretrain.max_epochs=2")
RECIPES = {
    "scan": (*TINY, *UNEVEN, *QUICK, "method=scan", "method.n_neighbors=5", "method.n_heads=2",
             "method.self_label_from=6", "method.confidence=0.3"),
    "dcn": (*TINY, *UNEVEN, *QUICK, "method=dcn"),
    "vade": (*TINY, *UNEVEN, *QUICK, "method=vade"),
    "dkm and layerwise": (*TINY, *UNEVEN, *QUICK, "method=dkm", "pretrain=layerwise", "pretrain.max_epochs=4",
                          "pretrain.module.epochs_per_layer=1"),
    "student": ("data=digits", "data.subset.size=126", "n_clusters=3", "method=kmeans", "student=conv", *QUICK[:2],
                "student.rounds=2", "student.net.channels=[4,8]", "student.least_steps=4", "student.most_steps=4"),
    "auto": ("data=blobs", "data.n_samples=126", "n_clusters=3", "auto.candidates=[kmeans,pca_gmm]", *QUICK[:2]),
}  # fmt: skip
"""Recipes whose losses or states are more than means over a process's own samples."""


def both_ranks(folder, *words):
    """Carry out a run in two processes that begin as torchrun's do, and return the outputs of rank 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(probe.getsockname()[1])}
    ranks = [{**place, "RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in (0, 1)]
    words = [*words, *TWO, f"hydra.run.dir={folder}"]
    first, second = (CommandProcess(words, folder.parent, environment=rank) for rank in ranks)
    out, err = first.communicate()
    assert (first.returncode, err, second.wait()) == (0, "", 0), (err, second.err)
    return out


@pytest.mark.parametrize("name", RECIPES)
def test_every_method_comes_to_the_weights_and_labels_of_one_process(cli_run, tmp_path, name):
    recipe = (*RECIPES[name], "trainer.accelerator=cpu")
    one = cli_run(*recipe, name="one")
    assert one.code == 0, one.err
    assert both_ranks(tmp_path / "two", *recipe).count("everything is in") == 1
    two = Outcome(0, "", "", tmp_path / "two")
    assert [cluster for cluster, _ in two.labels] == [cluster for cluster, _ in one.labels]
    for file in (one.folder / "checkpoints").glob("*.ckpt"):
        its, own = (torch.load(path, weights_only=True) for path in (file, two.folder / "checkpoints" / file.name))
        torch.testing.assert_close(own["state_dict"], its["state_dict"], atol=1e-4, rtol=1e-4)


def test_processes_started_by_torchrun_come_to_the_targets_of_one(cli_run, tmp_path):
    one = cli_run(*TINY_DEC, *UNEVEN, name="one")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += ["-m", "deepcluster_pl", *TINY_DEC, *UNEVEN, *TWO, f"hydra.run.dir={tmp_path / 'joined'}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("everything is in") == 1
    torch.testing.assert_close(targets(tmp_path / "joined"), targets(one.folder), atol=1e-5, rtol=0)


def test_a_signal_leaves_a_checkpoint_that_two_processes_go_on_from(cli_run, tmp_path):
    endless = start(tmp_path / "cut", *TINY_DEC, *UNEVEN, *TWO, "fit.max_steps=1000000", "checkpoint_interval=600")
    wait_for_training(endless, tmp_path / "cut")
    workers = others_of(endless)
    endless.send_signal(signal.SIGTERM)
    _, err = endless.communicate(timeout=300)
    assert (endless.returncode, err) == (143, f"interrupted; type deepcluster resume={tmp_path / 'cut'} to continue\n")
    assert workers
    assert all(map(gone, workers))
    step = torch.load(tmp_path / "cut" / "checkpoints" / "last.ckpt", weights_only=True)["global_step"]
    config = tmp_path / "cut" / "config" / "config.yaml"
    config.write_text(config.read_text().replace("max_steps: 1000000", f"max_steps: {step + 10}"))
    resumed = cli_run(f"resume={tmp_path / 'cut'}", name="cut")
    assert resumed.code == 0, resumed.err
    whole = cli_run(*TINY_DEC, *UNEVEN, f"fit.max_steps={step + 10}", name="whole")
    assert [cluster for cluster, _ in resumed.labels] == [cluster for cluster, _ in whole.labels]


@pytest.mark.parametrize("victim", ["first", "other"])
def test_where_one_process_dies_the_rest_end_too(tmp_path, victim):
    run = start(tmp_path / "run", *TINY_DEC, *TWO, "fit.max_steps=1000000")
    wait_for_training(run, tmp_path / "run")
    (worker,) = others_of(run)
    os.kill(run.pid if victim == "first" else worker, signal.SIGKILL)
    _, err = run.communicate(timeout=300)
    assert gone(worker)
    if victim == "other":
        line = "process 1 of 2 ended early (code -9), and the run ends with it; type deepcluster resume="
        assert (run.returncode, err) == (1, f"{line}{tmp_path / 'run'} to continue\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((*TWO, "callbacks=brb"), "callbacks.weight_reset: WeightReset works in one process"),
        ((*TWO, "-m", "seed=0,1"), "in a sweep, whose jobs are one process each"),
        ((*TWO, "trainer.num_nodes=2"), "type torchrun --nnodes=2"),
        (("trainer.devices=2", "trainer.strategy=ddp_spawn"), "found 2 devices; type trainer.strategy=ddp, or"),
    ],
)
def test_what_several_processes_cannot_do_is_refused_in_one_line(cli_run, arguments, line):
    refused = cli_run(*TINY, *arguments)
    assert refused.code == 1
    assert line in refused.err
    assert refused.err.count("\n") == 1


def test_an_error_that_all_processes_meet_is_said_once(tmp_path):
    run = start(tmp_path / "run", *TINY, *TWO, "fit.optimizer.lr=1e30", "method=idec", "trainer.log_every_n_steps=1")
    _, err = run.communicate(timeout=300)
    assert run.returncode == 1
    assert err.startswith("the fit diverged")
    assert err.count("\n") == 1
