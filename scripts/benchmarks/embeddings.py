"""Cluster made embeddings with the command line: one JSON line a run with seconds, peak memory and agreement.

    python -m scripts.benchmarks.embeddings                                  100,000 x 384, method=graph
    python -m scripts.benchmarks.embeddings --methods auto                   everything that method=auto tries on them
    python -m scripts.benchmarks.embeddings --methods graph,pca_gmm,gmm      one line each
    python -m scripts.benchmarks.embeddings --rows 5000 --keep folder        smaller; the run folders stay in `folder`

A group is a direction. Its rows are that direction plus noise of the same length, divided by their length, so two rows
of one group have a cosine of about 1/2. Sizes of groups differ up to tenfold. Rows that belong to no group are random
directions; they take part, and are left out of the score. Rows are stored as float16, as embeddings often are.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcluster_pl.evaluation.metrics import label_scores


def main() -> None:
    """Make the data, run each method on it, and print what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--methods", default="graph", help="recipes, with commas between them")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--groups", type=int, default=20)
    parser.add_argument("--noise", type=float, default=0.05, help="share of rows that belong to no group")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for data and run folders; a scratch folder without it")
    parser.add_argument("overrides", nargs="*", help="further settings of every run")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        x, groups = embeddings(chosen.rows, chosen.width, chosen.groups, chosen.noise, chosen.seed)
        np.save(folder / "embeddings.npy", x)
        for method in chosen.methods.split(","):
            given = [f"n_clusters={chosen.groups}", f"seed={chosen.seed}", *chosen.overrides]
            found = measured(folder, method, given, groups)
            shape = {"rows": chosen.rows, "width": chosen.width, "groups": chosen.groups, "noise": chosen.noise}
            print(json.dumps({"method": method, "seed": chosen.seed, **shape, "cpus": os.cpu_count(), **found}))


def embeddings(
    n: int, width: int, n_groups: int, noise: float, seed: int
) -> tuple[NDArray[np.float16], NDArray[np.int64]]:
    """Make rows of unit length around directions, and some that belong to none.

    Args:
        n: number of rows.
        width: length of a row.
        n_groups: number of directions.
        noise: share of rows that belong to none.
        seed: decides everything.

    Returns:
        Rows (N, width), and the group (N,) of each; -1 is none.
    """
    draw = np.random.default_rng(seed)
    shares = draw.uniform(0.1, 1.0, n_groups)
    groups = draw.choice(n_groups, size=n, p=shares / shares.sum())
    groups[draw.random(n) < noise] = -1
    directions = draw.normal(size=(n_groups, width)).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    x = draw.normal(size=(n, width), scale=width**-0.5).astype(np.float32)
    x[groups >= 0] += directions[groups[groups >= 0]]
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x.astype(np.float16), groups


def measured(folder: Path, method: str, overrides: list[str], groups: NDArray[np.int64]) -> dict[str, Any]:
    """Run one method as a user types it.

    Args:
        folder: holds embeddings.npy; the run folder is made in it.
        method: its recipe.
        overrides: further settings.
        groups: group (N,) of each row; -1 is none.

    Returns:
        Seconds until the end and until the first line, seconds of all processor cores together, the largest memory in
        MB, scores on rows of a group, which count by their nearest cluster, the share of noise that is in no group, and
        the share of noise in what is in no group.
    """
    run = folder / method.replace("/", "_")
    words = [f"method={method}", f"data.path={folder / 'embeddings.npy'}", f"hydra.run.dir={run}", *overrides]
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "deepcluster_pl", *words, f"cache_dir={folder / 'cache'}"]
    first, lines = None, []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            first = first or time.monotonic() - began
            lines.append(line)
            print(f"{time.monotonic() - began:7.1f} s  {line}", end="", file=sys.stderr)
    seconds = time.monotonic() - began
    if process.returncode:
        return {"failed": "".join(lines[-3:])}
    with (run / "assignments.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    clusters = np.array([int(row["cluster"]) for row in rows])
    nearest = np.array([int(row.get("nearest_cluster") or row["cluster"]) for row in rows])
    known, outside = groups >= 0, clusters < 0
    scores = label_scores(groups[known], nearest[known])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "seconds": round(seconds, 1), "first_line": round(first or seconds, 1), "cpu_seconds": round(processor, 1),
        "peak_mb": round(after.ru_maxrss / 1024),
        "ari": round(float(scores["ari"] or 0), 4), "nmi": round(float(scores["nmi"] or 0), 4),
        "flagged_noise": round(float(outside[~known].mean()), 4) if (~known).any() else None,
        "flagged_is_noise": round(float((~known)[outside].mean()), 4) if outside.any() else None,
    }  # fmt: skip


if __name__ == "__main__":
    main()
