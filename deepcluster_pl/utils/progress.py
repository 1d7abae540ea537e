"""Print every ten seconds what a long step is doing, how much of it is done, and how long it has taken."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

EVERY_S = 10.0
"""Seconds without a line after which one is printed; shorter steps print none."""
_T = TypeVar("_T")


@dataclass
class _Step:
    """Current step, and how many of its pieces are done."""

    what: str
    began: float = field(default_factory=time.monotonic)
    done: int = 0
    total: int = 0

    def describe(self, now: float) -> str:
        """Return one line."""
        share = f"{self.done / self.total:.0%} done, " if self.total else ""
        return f"{self.what}: {share}{now - self.began:.0f} s so far"


_steps: list[_Step] = []
"""Those that the process is in, the innermost last; fits in several threads take turns."""


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Name what is done inside, for the lines of `heartbeat`; it may hold further steps.

    Args:
        what: a few words.
    """
    step = _Step(what)
    _steps.append(step)
    try:
        yield
    finally:
        _steps.remove(step)


def counted(pieces: Iterable[_T], number: int) -> Iterator[_T]:
    """Yield pieces of work; the lines of `heartbeat` say which share of them the current step has done.

    Args:
        pieces: anything.
        number: how many there are.
    """
    step = _steps[-1] if _steps else _Step("")
    step.done, step.total = 0, number
    for piece in pieces:
        yield piece
        step.done += 1
    step.total = 0


@contextmanager
def heartbeat(report: Callable[[str], object], every_s: float = EVERY_S) -> Iterator[None]:
    """Report a line each time that a step has lasted so long, or so long again; time decides nothing else.

    Args:
        report: takes a line, in another thread.
        every_s: seconds before each line.
    """
    ended = threading.Event()

    def beat() -> None:
        spoke = 0.0
        while not ended.wait(every_s / 10):
            steps, now = list(_steps), time.monotonic()
            if steps and now - max(spoke, steps[0].began) >= every_s:
                spoke = now
                try:
                    report(steps[-1].describe(now))
                except OSError:  # the run's own next line meets it too, and ends the run
                    return

    thread = threading.Thread(target=beat, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
