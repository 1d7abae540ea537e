"""Run one recipe on more and more rows of a file, and write how memory and speed change with their number.

    python -m scripts.benchmarks.large [--rows 10000 100000 1000000 10000000] [--scratch /tmp]

The script makes a file of 64 float32 features a row (2.56 GB at ten million), clusters it by `data=array`, and measures
the memory of the process. Every size takes about the same number of training steps. The residency is `auto`: small
files are held in memory, the largest stays on disk. The table is written into docs/scaling.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from scripts.docs.pages import write_between

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "scaling.md"
FEATURES, CLUSTERS, BATCH = 64, 10, 4096
STEPS = 2442  # one pass over ten million rows
RECIPE = [
    "method=dec", "data=array", f"n_clusters={CLUSTERS}", "net.dims=[256,256,10]", f"pretrain.batch_size={BATCH}",
    f"fit.batch_size={BATCH}", "fit.max_steps=200", "callbacks.target_refresh.update_interval=100",
    "callbacks.target_refresh.tol=0", "trainer.accelerator=cpu",
]  # fmt: skip


def main() -> int:
    """Make the file, run every size, write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000, 10_000_000])
    parser.add_argument(
        "--scratch", type=Path, default=Path(tempfile.gettempdir()), help="folder of the file during the run"
    )
    parser.add_argument("--precision", default="32-true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.scratch) as folder:
        lines = [measured(n, Path(folder), chosen.precision) for n in chosen.rows]
    write(lines, chosen.precision)
    return 0


def write_rows(path: Path, n: int) -> None:
    """Write n rows around ten centers, slice by slice."""
    draw = np.random.default_rng(0)
    centers = draw.normal(size=(CLUSTERS, FEATURES)) * 2
    x = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n, FEATURES))
    for first in range(0, n, 100_000):
        some = draw.integers(CLUSTERS, size=min(100_000, n - first))
        x[first : first + len(some)] = centers[some] + draw.normal(size=(len(some), FEATURES))
    x.flush()


def measured(n: int, folder: Path, precision: str) -> str:
    """Cluster n rows, and return their line of the table."""
    data, run = folder / "x.npy", folder / f"run{n}"
    write_rows(data, n)
    epochs = max(1, round(STEPS * BATCH / n))
    command = [sys.executable, "-m", "deepcluster_pl", *RECIPE, f"data.path={data}", f"pretrain.max_epochs={epochs}"]
    command += [f"trainer.precision={precision}", f"hydra.run.dir={run}", f"cache_dir={folder / 'cache'}"]
    began = time.monotonic()
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=folder)
    own, mapped = 0, 0
    while process.poll() is None:
        now = resident(process.pid)
        own, mapped = max(own, now[0]), max(mapped, now[1])
        time.sleep(0.2)
    if process.returncode:
        raise SystemExit(f"{n} rows: exit code {process.returncode}")
    whole = time.monotonic() - began
    seconds = json.loads((run / "scores.json").read_text(encoding="utf-8"))["seconds"]
    speed = n * epochs / seconds["pretrain"]
    print(f"{n}: {own / 2**20:.0f} MiB own, {mapped / 2**20:.0f} MiB mapped, {speed:.0f} rows/s, {whole:.0f} s")
    return (
        f"| {n:,} | {own / 2**30:.2f} | {mapped / 2**30:.2f} | {speed:,.0f} | {seconds['start']:.1f} "
        f"| {seconds['fit']:.1f} | {whole:.0f} |"
    )


def resident(pid: int) -> tuple[int, int]:
    """Return a process' own bytes in memory, and those of mapped files, which the system may take back."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0, 0
    sizes = {
        key: int(value.split()[0]) * 1024 for key, _, value in (line.partition(":") for line in lines) if "kB" in value
    }
    return sizes.get("RssAnon", 0), sizes.get("RssFile", 0)


def write(lines: list[str], precision: str) -> None:
    """Put the table into the page."""
    table = [
        f"{precision}, PyTorch {torch.__version__.split('+')[0]}, {torch.get_num_threads()} threads:", "",
        "| rows | own memory, GiB | mapped pages, GiB | pretraining, rows/s | start, s | 200 steps of DEC, s "
        "| all, s |",
        "|---|---|---|---|---|---|---|", *lines,
    ]  # fmt: skip
    write_between(PAGE, "large", table)


if __name__ == "__main__":
    sys.exit(main())
