"""Limits on the memory that a block of a test may take."""

from __future__ import annotations

import resource
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def memory_limit(megabytes: float) -> Iterator[None]:
    """Fail if the block allocates more at its peak: in Python and NumPy, or, with a margin, in the whole process."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()
    assert peak < megabytes, f"{peak:.0f} MB"
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10
    assert grown < megabytes + 64, f"{grown:.0f} MB"
