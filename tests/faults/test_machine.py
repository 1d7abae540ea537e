"""Faults of the machine under a run: little shared memory, a disk that turns read-only, a clock set back."""

from __future__ import annotations

import re
import sys
import time

import pytest
from helpers.command_line import TINY_DEC
from helpers.mounts import MAIN, can_mount, mounting
from helpers.processes import run_command
from sklearn.metrics import adjusted_rand_score

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="mounts of Linux")
PATCH = """
import importlib
from helpers.mounts import turn_read_only
owner = importlib.import_module({module!r})
original = owner.{name}
def changed(*arguments, **options):
    turn_read_only({folder!r})
    return original(*arguments, **options)
owner.{name} = changed
"""


@pytest.fixture
def disk(tmp_path):
    """A folder to mount a disk at, if this system lets tests do that."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not can_mount(disk):
        pytest.skip("needs mounts of its own")
    return disk


def test_too_little_shared_memory_for_reading_processes_is_a_line_and_not_a_wait(tmp_path, disk):
    words = [*TINY_DEC, "data.num_workers=2", "data.residency=disk", f"hydra.run.dir={tmp_path / 'run'}"]
    began = time.monotonic()
    run = run_command(words, tmp_path, program=mounting(("tmpfs", "/dev/shm", 4096)) + MAIN)
    assert run.returncode == 1
    assert re.fullmatch(
        r"found 0.0 MB of shared memory in /dev/shm, and data.num_workers=2 needs 1.0 MB for batches; "
        r"type data.num_workers=0\n",
        run.stderr,
    )
    assert time.monotonic() - began < 60


# Module and function before which the disk turns read-only, and the file that is named; None where scores are there
REMOUNTED = [
    ("deepcluster_pl.runs.pipeline", "initialize", "start.safetensors"),
    ("deepcluster_pl.runs.results", "save_scores", "scores.json"),
    ("deepcluster_pl.runs.results", "save_figures", None),
]


@pytest.mark.parametrize(("module", "name", "named"), REMOUNTED)
def test_a_disk_that_turns_read_only_is_a_line_or_a_warning(tmp_path, module, name, named):
    folder = tmp_path / "run"
    words = ["data=blobs", "data.n_samples=60", "method=kmeans", "baselines=none", "trainer.accelerator=cpu",
             f"hydra.run.dir={folder}"]  # fmt: skip
    run = run_command(words, tmp_path, program=PATCH.format(module=module, name=name, folder=str(folder)) + MAIN)
    if named is None:
        assert (run.returncode, run.stderr) == (0, ""), run.stderr
        assert "warning: report.html was not made" in run.stdout
    else:
        assert run.returncode == 1
        said = rf"{folder}/{named} cannot be written: Read-only file system; .*; type deepcluster resume={folder} .*\n"
        assert re.fullmatch(said, run.stderr), run.stderr


def test_a_clock_that_runs_backwards_changes_nothing(cli_run, monkeypatch):
    often = (*TINY_DEC, "checkpoint_interval=0.000001", "baselines=none")  # TensorBoard reads the clock
    whole = cli_run(*often, name="whole")
    now, calls = time.time(), []

    def backwards():
        calls.append(1)
        return now - 1000.0 * len(calls)

    with monkeypatch.context() as patch:
        patch.setattr(time, "time", backwards)
        run = cli_run(*often, name="backwards")
    assert calls
    assert run.code == 0, run.err
    assert run.labels == whole.labels


def test_one_thread_or_two_give_the_same_partition_and_say_how_many_there_were(tmp_path):
    labels = []
    for threads in (1, 2):
        folder = tmp_path / str(threads)
        program = f"import torch; torch.set_num_threads({threads})" + MAIN
        run = run_command([*TINY_DEC, "baselines=none", f"hydra.run.dir={folder}"], tmp_path, program=program)
        assert run.returncode == 0, run.stderr
        assert f'"threads": {threads}' in (folder / "scores.json").read_text()
        rows = (folder / "assignments.csv").read_text().splitlines()[1:]
        labels.append([row.split(",")[2] for row in rows])
    assert adjusted_rand_score(*labels) > 0.95
