"""Lines about a step that takes long."""

from __future__ import annotations

import threading
import time

from deepcluster_pl.utils.progress import counted, doing, heartbeat


def test_a_long_step_says_what_it_does_how_far_it_is_and_for_how_long():
    lines: list[str] = []
    with heartbeat(lines.append, every_s=0.02), doing("all of it"), doing("predicting"):
        for _ in counted(range(4), 4):
            time.sleep(0.05)
    assert {line.split(",")[0] for line in lines} & {"predicting: 25% done", "predicting: 50% done"}
    assert lines[0].endswith(" s so far")
    assert "progress" not in {thread.name for thread in threading.enumerate()}


def test_short_steps_and_what_is_between_them_say_nothing():
    lines: list[str] = []
    with heartbeat(lines.append, every_s=0.1):
        for _ in range(5):
            with doing("predicting"):
                time.sleep(0.01)
            time.sleep(0.03)
    assert lines == []
    assert list(counted([1, 2], 2)) == [1, 2]
