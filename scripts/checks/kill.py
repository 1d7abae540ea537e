"""Kill a run at random moments, resume it, and compare its results with those of an uninterrupted run.

    python -m scripts.checks.kill [--times 20] [--seed 0] [override ...]

Each time a new run is started, killed with SIGKILL at a moment drawn from (seed, number), and resumed by `resume=`.
Then its labels are compared, and its weights bit for bit. The table is written into docs/reliability.md. POSIX signals
are needed.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from scripts.docs.pages import write_between

ROOT = Path(__file__).resolve().parents[2]
RECIPE = (
    "method=dec",
    "pretrain.max_epochs=20",
    "fit.max_steps=280",
    "checkpoint_interval=0.5",
    "baselines=none",
    "trainer.accelerator=cpu",
)


def main() -> int:
    """Kill, resume, compare and write the page; return exit code 1 if a single label or weight differed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("overrides", nargs="*", help="beside a short DEC on the bundled digits")
    chosen = parser.parse_args()
    recipe = [*RECIPE, *chosen.overrides]
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch) / "whole"
        began = time.monotonic()
        subprocess.run(
            command(*recipe, f"hydra.run.dir={whole}"), env=environment(), check=True, stdout=subprocess.DEVNULL
        )
        lasted = time.monotonic() - began
        for number in range(chosen.times):
            folder = Path(scratch) / str(number)
            moment = random.Random(f"{chosen.seed} {number}").uniform(0.3, 1) * lasted
            killed_in = kill(folder, recipe, moment)
            if not (folder / "scores.json").exists():
                again = [f"resume={folder}"] if (folder / "config").is_dir() else [*recipe, f"hydra.run.dir={folder}"]
                to_the_end(*again)
            same = labels(folder) == labels(whole), equal_weights(folder, whole)
            rows.append((number, killed_in, *same))
            print(
                f"{number}: killed after {moment:.1f} s, {killed_in}: labels {same[0]}, weights {same[1]}", flush=True
            )
    write(rows, chosen.seed, recipe)
    return int(not all(row[2] and row[3] for row in rows))


def command(*overrides: str) -> list[str]:
    """Return the command line of a run."""
    return [sys.executable, "-m", "deepcluster_pl", *overrides]


def to_the_end(*overrides: str) -> None:
    """Carry out a run; an exit code other than 0 ends the experiment."""
    subprocess.run(command(*overrides), env=environment(), check=True, stdout=subprocess.DEVNULL)


def environment() -> dict[str, str]:
    """Return the environment with this checkout first on the path, and one thread, so that sums have one order."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def kill(folder: Path, recipe: list[str], moment: float) -> str:
    """Start a run, end it with SIGKILL after so many seconds, and return the stage it was in."""
    process = subprocess.Popen(
        command(*recipe, f"hydra.run.dir={folder}"), env=environment(), stdout=subprocess.DEVNULL
    )
    try:
        process.wait(timeout=moment)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for place, file in {
        "after the end": "scores.json", "after the fit": "checkpoints/final.ckpt", "the fit": "start.safetensors",
        "the initialization": "checkpoints/pretrained.ckpt", "pretraining": "checkpoints/last.ckpt",
    }.items():  # fmt: skip
        if (folder / file).exists():
            return place
    return "before a checkpoint"


def labels(folder: Path) -> list[tuple[str, str]]:
    """Return cluster and confidence of every sample."""
    with (folder / "assignments.csv").open(newline="", encoding="utf-8") as file:
        return [(row["cluster"], row["confidence"]) for row in csv.DictReader(file)]


def equal_weights(one: Path, other: Path) -> bool:
    """Return True if two runs ended with the same bits."""
    first, second = (
        torch.load(folder / "checkpoints" / "final.ckpt", weights_only=True)["state_dict"] for folder in (one, other)
    )
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def write(rows: list[tuple[int, str, bool, bool]], seed: int, recipe: list[str]) -> None:
    """Write a line for each stage in which runs were killed."""
    places = list(dict.fromkeys(place for _, place, _, _ in rows))
    table = [
        f"`python -m deepcluster_pl {' '.join(recipe)}`, killed {len(rows)} times at moments drawn with seed {seed}; "
        f"PyTorch {torch.__version__.split('+')[0]}, CPU, one thread:",
        "", "| killed in | times | same labels | same weights, bit for bit |", "|---|---|---|---|",
    ]  # fmt: skip
    for place in places:
        there = [row for row in rows if row[1] == place]
        table.append(f"| {place} | {len(there)} | {sum(r[2] for r in there)} | {sum(r[3] for r in there)} |")
    table.append(f"| all | {len(rows)} | {sum(r[2] for r in rows)} | {sum(r[3] for r in rows)} |")
    write_between(ROOT / "docs" / "reliability.md", "kills", table)


if __name__ == "__main__":
    sys.exit(main())
