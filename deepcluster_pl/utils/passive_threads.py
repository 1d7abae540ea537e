"""Let threads of OpenMP sleep while they wait, so that a run beside other programs takes no more than its share."""

from __future__ import annotations

import os


def wait_passively() -> None:
    """Ask OpenMP for passive waiting, unless the user chose; it has an effect only before torch is imported.

    By default a thread that waits for the others spins. Where other programs want the same cores, the one it waits for
    has none to run on, so both lose.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
