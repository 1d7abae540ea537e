"""Read memory maps of files that may be cut while a run reads them: a line instead of a killed process.

A read beyond the end of a mapped file ends the process by a signal (SIGBUS) that Python cannot catch. So the size of
the file is compared right before each read. A cut between the two, within microseconds, still ends the process.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.errors import UserError

_BYTES_AT_ONCE = 2**24


def check_whole(x: NDArray[Any]) -> None:
    """Raise `UserError` if an array is a memory map of a file that has been cut since it was opened."""
    mapping = getattr(x, "_mmap", None)
    if not isinstance(x, np.memmap) or mapping is None:
        return
    first = x.offset - x.offset % mmap.ALLOCATIONGRANULARITY
    found, expected = mapping.size(), first + len(mapping)
    if found < expected:
        name = Path(x.filename).name if x.filename else "the file of samples"
        raise UserError(
            f"{name} was cut while it was read: found {found:,} bytes, expected {expected:,}; put the whole file back, "
            f"then resume the run"
        )


def copy_whole(x: NDArray[Any]) -> NDArray[Any]:
    """Return a copy in memory; a memory map is read in pieces, and each is checked."""
    if not isinstance(x, np.memmap):
        return np.array(x)
    out = np.empty(x.shape, x.dtype)
    step = max(1, _BYTES_AT_ONCE // max(1, x[:1].nbytes))
    for start in range(0, len(x), step):
        check_whole(x)
        out[start : start + step] = x[start : start + step]
    return out
