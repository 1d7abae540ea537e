"""Ctrl-C twice: the second ends the run at once, wherever it is, and what was kept before is whole."""

from __future__ import annotations

import os
import signal
import time

import pytest
from faults.test_kill import OFTEN, WRITER, whole
from helpers.processes import CommandProcess

__all__ = ["whole"]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
STUCK = """
import time
from deepcluster_pl.cli import main as cli
from deepcluster_pl.methods.dec import DEC
original = DEC.training_step
def slow(self, batch, batch_idx):
    if self.global_step == 9:
        print("stuck", flush=True)
        time.sleep(600)
    return original(self, batch, batch_idx)
DEC.training_step = slow
cli.main()
"""


@pytest.mark.parametrize(("program", "there"), [(STUCK, "stuck"), (WRITER, "writing")], ids=["in a step", "in a write"])
def test_a_second_signal_ends_the_run_at_once_and_it_can_be_resumed(cli_run, whole, tmp_path, program, there):
    folder = tmp_path / "cut"
    process = CommandProcess([*OFTEN, f"hydra.run.dir={folder}"], tmp_path, program=program)
    process.wait_for_line(there)
    process.send_signal(signal.SIGINT)
    time.sleep(1)
    assert process.poll() is None  # the first waits for the end of a step
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - sent < 30
    assert process.returncode == 130
    assert err == f"interrupted; type deepcluster resume={folder} to continue\n"
    assert list(folder.rglob("*.part")) == []
    resumed = cli_run(f"resume={folder}", name="cut")
    assert resumed.code == 0, resumed.err
    assert resumed.labels == whole.labels
