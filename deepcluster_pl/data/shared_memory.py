"""Room in the system's shared memory for the batches that reading processes hand over; without it they would hang."""

from __future__ import annotations

import os

from deepcluster_pl.errors import UserError

_SHARED = "/dev/shm"
_SPARE_BYTES = 2**20  # for the queues between the processes
_AHEAD = 2
"""Batches that PyTorch reads ahead in each process."""


def check_shared_memory(n_processes: int, batch_bytes: int) -> None:
    """Raise `UserError` if shared memory has no room for the batches that processes read ahead.

    Args:
        n_processes: number of reading processes; 0 needs no shared memory.
        batch_bytes: bytes of the samples of a batch.

    Raises:
        UserError: with what is needed, what there is, and what to type. Where the system has no /dev/shm, nothing is
            known and nothing is raised.
    """
    if n_processes == 0 or not os.path.isdir(_SHARED):
        return
    status = os.statvfs(_SHARED)
    free = status.f_bavail * status.f_frsize
    needed = (_AHEAD * n_processes + 1) * batch_bytes + _SPARE_BYTES
    if free < needed:
        raise UserError(
            f"found {free / 2**20:.1f} MB of shared memory in {_SHARED}, and data.num_workers={n_processes} needs "
            f"{needed / 2**20:.1f} MB for batches; type data.num_workers=0"
        )
