"""Measure how a long and a wide table of text are read and prepared, beside pandas' own reading.

    python -m scripts.checks.tables [--rows 1000000] [--columns 60000]

Seconds are those of the processor, with one thread; each reading has a process of its own, whose peak of memory the
system measures. The long table has 30 numbers a row, the wide one 60 rows with a gap in 1 % of the cells.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

_MEASURE = """
import json, resource, sys, time
import numpy as np, pandas as pd
from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.instantiate import instantiate_node
path, by = sys.argv[1:]
data = instantiate_node(compose_checked(["data=array", f"data.path={path}"]).cfg.data)
before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
if by == "pandas":
    shape = pd.read_csv(path).shape
else:
    data.take_over(data.load())
    data.setup()
    shape = (len(data.part("fit")), data.n_features)
used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps({"seconds": time.process_time() - began, "mib": used / 2**10, "shape": shape}))
"""


def measure(path: Path, by: str) -> dict[str, float]:
    """Return seconds, MiB and shape of one reading, in a process of its own."""
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(path), by], env=os.environ | threads, check=True, capture_output=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Write the tables, and print a line for each reading."""
    parser = argparse.ArgumentParser(description="Measure how tables of text are read.")
    parser.add_argument("--rows", type=int, default=10**6)
    parser.add_argument("--columns", type=int, default=60_000)
    options = parser.parse_args()
    draw = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as scratch:
        long, wide = Path(scratch) / "long.csv", Path(scratch) / "wide.csv"
        for start in range(0, options.rows, 50_000):  # a piece at a time
            rows = min(50_000, options.rows - start)
            piece = pd.DataFrame(draw.normal(size=(rows, 30)).round(4)).add_prefix("x")
            piece.to_csv(long, index=False, mode="a", header=start == 0)
        values = draw.normal(size=(60, options.columns)).round(3)
        values[draw.random(values.shape) < 0.01] = np.nan
        with wide.open("w") as file:
            file.write(",".join(f"gene{i}" for i in range(options.columns)) + "\n")
            file.writelines(",".join("" if v != v else str(v) for v in row) + "\n" for row in values.tolist())
        array = options.rows * 30 * 8 / 2**20
        for by in ("pandas", "deepcluster"):
            found = measure(long, by)
            print(f"{options.rows:,} x 30 by {by}: {found['seconds']:.1f} s, {found['mib'] / array:.1f} x the array")
        found = measure(wide, "deepcluster")
        print(f"60 x {options.columns:,} with gaps: {found['seconds']:.1f} s")


if __name__ == "__main__":
    main()
