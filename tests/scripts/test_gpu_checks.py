"""The checks for a GPU, tried on the CPU with tiny digits, so that they run when there is a GPU for a few minutes."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.processes import CommandProcess, run_command
from sklearn.datasets import load_digits

from scripts.checks import gpu


@pytest.fixture
def data(tmp_path):
    """Folder with MNIST/raw that holds small digits, enlarged to 28x28."""
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    images, labels = load_digits(return_X_y=True)
    images = np.kron(images.reshape(-1, 8, 8), np.ones((3, 3))).clip(0, 16) * 15
    images = np.pad(images, ((0, 0), (2, 2), (2, 2))).astype(np.uint8)
    for name, rows in (("train", slice(0, 400)), ("t10k", slice(400, 800))):
        head = struct.pack(">IIII", 2051, 400, 28, 28)
        (raw / f"{name}-images-idx3-ubyte").write_bytes(head + images[rows].tobytes())
        head = struct.pack(">II", 2049, 400)
        (raw / f"{name}-labels-idx1-ubyte").write_bytes(head + labels[rows].astype(np.uint8).tobytes())
    return tmp_path / "data"


def quick_processes(folder):
    """Processes that have imported everything already; every check types `python -m deepcluster_pl …`."""

    def words(typed):
        assert typed[:3] == [sys.executable, "-m", "deepcluster_pl"]
        return typed[3:]

    def run(typed, check, timeout=60, **options):
        done = run_command(words(typed), folder, timeout=timeout)
        if check:
            done.check_returncode()
        return done

    def start(typed, **options):
        return CommandProcess(words(typed), folder)

    return SimpleNamespace(run=run, Popen=start, DEVNULL=subprocess.DEVNULL, SubprocessError=subprocess.SubprocessError)


@pytest.fixture
def lines(data, tmp_path, monkeypatch):
    """Call with names of checks; returns the exit code, and the line of each."""
    monkeypatch.setattr(gpu, "subprocess", quick_processes(tmp_path))

    def check(*names, minutes="9"):
        out = tmp_path / "results.jsonl"
        typed = [
            "gpu",
            str(data),
            str(out),
            "--accelerator",
            "cpu",
            "--short",
            "--minutes",
            minutes,
            "--checks",
            *names,
        ]
        monkeypatch.setattr(sys, "argv", typed)
        code = gpu.main()
        return code, {line["check"]: line for line in map(json.loads, out.read_text().splitlines())}

    return check


def test_steps_are_timed_eager_and_captured_in_each_way_to_multiply(lines):
    code, found = lines("step")
    assert code == 0, found
    assert [found["step"][f"64 {way}"].keys() for way in gpu.WAYS] == [{"eager", "captured", "by_hand"}] * 3


def test_a_failed_check_and_one_without_time_are_said_in_their_lines(lines, monkeypatch):
    def fails(*ignored):
        raise RuntimeError("no such card")

    monkeypatch.setattr(gpu.Place, "run", fails)
    code, found = lines("article", "headline")
    assert code == 1
    assert {line["failed"] for line in found.values()} == {"no such card"}
    code, found = lines("seeds", minutes="0")
    assert (code, found["seeds"]["skipped"]) == (0, "no time left")


@pytest.mark.slow
def test_every_run_of_the_checks_ends_with_what_it_promises(lines):
    code, found = lines("article", "headline", "resume")
    assert code == 0, found
    assert found["article"].keys() >= gpu.WAYS.keys()
    assert 0 < found["headline"]["fit"]["nmi"] <= 1
    assert found["resume"]["same_labels"]
