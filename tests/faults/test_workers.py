"""Processes that read data, and end early or hang."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest
from helpers.command_line import TINY_DEC

from deepcluster_pl.data import base
from deepcluster_pl.data.samples import Part

READING = (*TINY_DEC, "data.num_workers=2", "data.residency=disk")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked here")


def test_a_reader_that_is_killed_ends_the_run_in_one_line_and_resume_goes_on(cli_run, monkeypatch):
    whole = cli_run(*READING, name="whole")
    parent, original, calls = os.getpid(), Part.__getitems__, []

    def killed(self, indices):
        if os.getpid() != parent:
            calls.append(1)
            if len(calls) == 5:  # in the third epoch, of which each of the two processes reads half
                time.sleep(0.5)
                os.kill(os.getpid(), signal.SIGKILL)
        return original(self, indices)

    with monkeypatch.context() as patch:
        patch.setattr(Part, "__getitems__", killed)
        patch.setattr(base, "PATIENCE_S", 5)  # PyTorch looks for the dead when its patience ends
        cut = cli_run(*READING, "checkpoint_interval=0.000001", name="cut")
    assert cut.code == 1
    assert cut.err.count("\n") == 1
    assert "a process that reads data ended early" in cut.err
    assert f"type deepcluster resume={cut.folder} to continue" in cut.err
    resumed = cli_run(f"resume={cut.folder}", name="cut")
    assert resumed.code == 0, resumed.err
    assert resumed.labels == whole.labels


def test_a_reader_that_hangs_ends_the_run_within_its_timeout(cli_run, monkeypatch):
    parent, original = os.getpid(), Part.__getitems__

    def hanging(self, indices):
        if os.getpid() != parent and len(indices) < 32:
            time.sleep(600)
        return original(self, indices)

    monkeypatch.setattr(Part, "__getitems__", hanging)
    monkeypatch.setattr(base, "PATIENCE_S", 3)
    began = time.monotonic()
    cut = cli_run(*READING)
    assert time.monotonic() - began < 60
    assert cut.code == 1
    assert cut.err.count("\n") == 1
    assert "gave nothing for 3 seconds" in cut.err
