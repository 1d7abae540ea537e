"""Measure a run of k-means on a million rows: seconds, processor seconds and peak memory.

    python -m scripts.checks.million [--rows 1000000]

The run has a process of its own, whose peak the system measures. Rows are ten float32 numbers around eight centers.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

_FEATURES, _CENTERS = 10, 8


def main() -> None:
    """Write the data, run the command, and print what it took; exit with the command's code."""
    parser = argparse.ArgumentParser(description="Measure a run of k-means on many rows.")
    parser.add_argument("--rows", type=int, default=10**6)
    rows = parser.parse_args().rows
    draw = np.random.default_rng(0)
    centers = 4 * draw.normal(size=(_CENTERS, _FEATURES))
    x = centers[draw.integers(0, _CENTERS, rows)] + draw.normal(size=(rows, _FEATURES))
    with tempfile.TemporaryDirectory() as scratch:
        np.save(Path(scratch) / "x.npy", x.astype(np.float32))
        settings = ["data=array", "data.path=x.npy", "method=kmeans", f"n_clusters={_CENTERS}"]
        command = [sys.executable, "-m", "deepcluster_pl", *settings, "trainer.accelerator=cpu", "hydra.run.dir=run"]
        began = time.monotonic()
        code = subprocess.run(command, cwd=scratch, check=False).returncode
        seconds = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"{rows:,} rows: {seconds:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of processor time, "
        f"at most {used.ru_maxrss / 2**20:.2f} GiB"
    )
    sys.exit(code)


if __name__ == "__main__":
    main()
