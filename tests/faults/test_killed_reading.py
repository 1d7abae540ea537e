"""A run that is ended while it reads pictures: nobody stays behind, and what was read is not read again."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest
from helpers.pictures import library
from helpers.processes import CommandProcess, run_command

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")


def command(tmp_path, name):
    return [
        "data=images", f"data.root={tmp_path / 'photos'}", "method=kmeans",
        "n_clusters=2", "data.copies=5", "data.faces=false", "data.reading_processes=1", "trainer.accelerator=cpu",
        f"cache_dir={tmp_path / 'cache'}", f"hydra.run.dir={tmp_path / name}",
    ]  # fmt: skip


def lines_kept(tmp_path):
    return sum(len(path.read_bytes().splitlines()) for path in (tmp_path / "cache").rglob("index.jsonl"))


def in_session(session):
    """Processes of a session that still run."""
    found = []
    for folder in os.listdir("/proc"):
        if folder.isdigit():
            try:
                with open(f"/proc/{folder}/stat") as file:
                    state, _, _, own = file.read().rpartition(")")[2].split()[:4]
            except OSError:
                continue
            if int(own) == session and state != "Z":
                found.append(int(folder))
    return found


def within(seconds, holds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.2)
    return False


@pytest.mark.slow
@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nobody_stays_behind_and_what_was_kept_is_not_read_again(tmp_path, ended_by):
    n = 120
    library(tmp_path / "photos", n)
    run = CommandProcess(command(tmp_path, "cut"), tmp_path, new_session=True)
    try:
        assert within(120, lambda: lines_kept(tmp_path) > 0)
        assert len(in_session(run.pid)) > 1
        run.send_signal(ended_by)
        assert run.wait(60) != 0
        assert within(30, lambda: not in_session(run.pid))
    finally:
        for process in in_session(run.pid):
            os.kill(process, signal.SIGKILL)
    kept = lines_kept(tmp_path)
    assert 0 < kept < n
    whole = run_command(command(tmp_path, "whole"), tmp_path)
    assert whole.returncode == 0, whole.stderr
    assert f"({kept} from the cache, {n - kept} read at" in whole.stdout
