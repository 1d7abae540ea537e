"""Imports of a command: no garbage collection interrupts them, and it works again afterwards."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import gc
from deepcluster_pl.utils.quick_imports import quick_imports
counts = []
with quick_imports():
    counts.append(gc.isenabled())
    before = sum(generation["collections"] for generation in gc.get_stats())
    import numpy
    counts.append(sum(generation["collections"] for generation in gc.get_stats()) - before)
counts += [gc.isenabled(), gc.get_freeze_count() > 10_000]
print(counts)
"""


def test_nothing_is_collected_during_imports_and_collection_is_on_afterwards():
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[False, 0, True, True]"


def test_a_program_that_has_imported_torch_keeps_its_collector():
    import gc

    import torch  # noqa: F401

    from deepcluster_pl.utils.quick_imports import quick_imports

    frozen = gc.get_freeze_count()
    with quick_imports():
        assert gc.isenabled()
    assert gc.get_freeze_count() == frozen
