"""End a command at SIGINT, SIGTERM or SIGHUP by an exception, so that it cleans up and says what to type."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from deepcluster_pl.errors import InterruptedRun

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_PAIR_S = 1.0
"""A terminal that closes sends two signals at once; the second of them is not a second wish."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise `InterruptedRun` in the block at the first signal; a later one ends the process at once.

    During training `InterruptionHandler` takes the place of these handlers, since the step is finished there. A signal
    that is ignored stays ignored: nohup ignores SIGHUP. Outside the main thread, where the system allows no handlers,
    nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    process, first = os.getpid(), list[float]()

    def on_signal(number: int, frame: FrameType | None) -> None:
        """Raise at the first signal; a forked process and a second signal meet the system's own action."""
        if not first and os.getpid() == process:
            first.append(time.monotonic())
            raise InterruptedRun(number)
        if os.getpid() != process or time.monotonic() - first[0] > _PAIR_S:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, on_signal)
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:  # None stands for a handler that Python has not installed
                signal.signal(number, handler)
