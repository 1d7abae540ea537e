"""Measure method=auto: its choice, the best of its candidates, and the choice of each criterion alone.

    python -m scripts.benchmarks.auto run [--data digits,wine] [--seeds 0,1,2] [--root data]
    python -m scripts.benchmarks.auto table            write the tables of docs/auto.md
    python -m scripts.benchmarks.auto table --check    exit code 1 if they differ from the lines

`run` appends a JSON line for each run to docs/results/auto/runs.jsonl. `--root` is the folder of MNIST/ and
FashionMNIST/. Labels are read for the scores only. Seconds are those of the clock and of the processor.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from sklearn.datasets import make_blobs, make_moons

from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.nodes import without_hydra
from deepcluster_pl.runs.pipeline import run
from deepcluster_pl.utils.provenance import commit
from deepcluster_pl.utils.warnings_filter import silenced_libraries
from scripts.benchmarks.marked_tables import as_markdown, recorded, write_tables

ROOT = Path(__file__).resolve().parents[2]
LINES, PAGE = ROOT / "docs" / "results" / "auto" / "runs.jsonl", ROOT / "docs" / "auto.md"
DATA = {
    "digits": ("data=digits",),
    "wine": ("data=wine", "n_clusters=3"),
    "breast_cancer": ("data=breast_cancer", "n_clusters=2"),
    "iris": ("data=wine", "data.dataset=iris", "data.name=iris", "n_clusters=3"),
    "uneven": ("data=array", "data.name=uneven", "n_clusters=3"),
    "moons": ("data=array", "data.name=moons", "n_clusters=2"),
    "mnist_10k": ("data=mnist", "data.name=mnist_10k", "data.subset.size=10000"),
    "fashion_10k": ("data=fashion_mnist", "data.name=fashion_10k", "data.subset.size=10000"),
}
CRITERIA = {
    "share": "information per entropy",
    "information": "information",
    "agreement": "agreement",
    "consensus": "consensus matrix",
}
"""By the key of scores.json: what a criterion is called in the table."""


def main() -> int:
    """Carry out the runs, or write or check the tables; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--data", default=",".join(DATA))
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--root", default="data", help="folder of MNIST/ and FashionMNIST/")
    parser.add_argument("--lines", type=Path, default=LINES)
    parser.add_argument("--check", action="store_true", help="change nothing")
    options = parser.parse_args()
    if options.what == "table":
        return write_tables(PAGE, "auto", tables(recorded(options.lines)), options.check)
    options.lines.parent.mkdir(parents=True, exist_ok=True)
    for data in options.data.split(","):
        for seed in options.seeds.split(","):
            line = json.dumps(one_run(data, int(seed), options.root))
            print(line, flush=True)
            with options.lines.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
    return 0


def one_run(data: str, seed: int, root: str) -> dict[str, Any]:
    """Carry out method=auto on one data set with one seed.

    Args:
        data: key of `DATA`.
        seed: of the run, and of data that are made up.
        root: folder of MNIST/ and FashionMNIST/.

    Returns:
        The line to record.
    """
    typed = [*DATA[data], f"seed={seed}"]
    with tempfile.TemporaryDirectory() as scratch, silenced_libraries():
        place = made_up(data, seed, Path(scratch))
        places = [f"data.path={place}"] if place else [f"data.root={root}"] if data.endswith("_10k") else []
        composition = compose_checked(["method=auto", *typed, *places, f"cache_dir={scratch}/cache"])
        if composition.problems or composition.cfg is None:
            raise SystemExit("\n".join(composition.problems))
        began, cpu = time.monotonic(), time.process_time()
        scores = run(without_hydra(composition.cfg), Path(scratch) / "run", "auto", Console(quiet=True))
        seconds, cpu_seconds = time.monotonic() - began, time.process_time() - cpu
    return {
        "data": data,
        "seed": seed,
        "command": " ".join(["python -m deepcluster_pl method=auto", *typed]),
        "commit": commit(),
        "machine": scores["machine"],
        "versions": scores["versions"],
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu_seconds, 1),
        "choice": scores["choice"],
        "acc": scores["fit"]["acc"],
        "nmi": scores["fit"]["nmi"],
        "candidates": scores["candidates"],
    }


def made_up(data: str, seed: int, folder: Path) -> Path | None:
    """Write the samples of a data set that is made up; return None for any other."""
    if data == "moons":
        x, y = make_moons(1000, noise=0.08, random_state=seed)
    elif data == "uneven":
        x, y = make_blobs([900, 80, 20], centers=np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]]), random_state=seed)
    else:
        return None
    np.savez(folder / f"{data}.npz", x=x, y=y)
    return folder / f"{data}.npz"


def tables(runs: list[dict[str, Any]]) -> dict[str, str]:
    """Return the tables of the page, by the names of their marks."""
    return {"gains": gains(runs), "criteria": criteria(runs)}


def gains(runs: list[dict[str, Any]]) -> str:
    """Return the table of means over seeds: NMI of simple candidates, of the choice, and of the best candidate."""
    names = ("kmeans", "pca_gmm", "graph", "communities")
    rows: list[tuple[str, ...]] = [
        ("data", "seeds", *names, "auto", "best of all tried", "regret", "chosen", "seconds")
    ]
    for data, group in _by_data(runs):
        best = [max(_nmi(line).values()) for line in group]
        own = [line["nmi"] for line in group]
        chosen = ", ".join(dict.fromkeys(line["choice"]["name"] for line in group))
        simple = [_mean(_nmi(line).get(name) for line in group) for name in names]
        regret = _mean(b - o for b, o in zip(best, own, strict=True))
        seconds = f"{statistics.mean(line['cpu_seconds'] for line in group):.0f}"
        rows.append((data, str(len(group)), *simple, f"**{_mean(own)}**", _mean(best), regret, chosen, seconds))
    return as_markdown(rows)


def criteria(runs: list[dict[str, Any]]) -> str:
    """Return the table of mean regret in NMI: of the rule, and of each criterion alone among the same candidates."""
    rows: list[tuple[str, ...]] = [("data", "the rule", *CRITERIA.values())]
    regrets: dict[str, list[float]] = {}
    for data, group in _by_data(runs):
        cells = []
        for key in ("rule", *CRITERIA):
            values = [_regret(line, key) for line in group]
            regrets.setdefault(key, []).append(statistics.mean(values))
            cells.append(_mean(values))
        rows.append((data, *cells))
    rows.append(("mean", *(_mean(values) for values in regrets.values())))
    rows.append(("largest", *(_mean([max(values)]) for values in regrets.values())))
    return as_markdown(rows)


def _regret(line: dict[str, Any], key: str) -> float:
    """Return how far a criterion's choice is below the best, in NMI, among candidates without a teacher."""
    tried = [row for row in line["candidates"] if row["nmi"] is not None and row["teacher"] is None]
    best = max(row["nmi"] for row in tried)
    if key == "rule":
        name = line["choice"]["name"]
        name = next((row["teacher"] or name for row in line["candidates"] if row["name"] == name), name)
        return float(best - next(row["nmi"] for row in tried if row["name"] == name))
    return float(best - max(tried, key=lambda row: row[key])["nmi"])


def _nmi(line: dict[str, Any]) -> dict[str, float]:
    """Return the NMI of each candidate by its name."""
    return {row["name"]: row["nmi"] for row in line["candidates"] if row["nmi"] is not None}


def _by_data(runs: list[dict[str, Any]]) -> Iterable[tuple[str, list[dict[str, Any]]]]:
    """Yield the runs of each data set, in the order of `DATA`."""
    for data in DATA:
        if group := [line for line in runs if line["data"] == data]:
            yield data, group


def _mean(values: Iterable[float | None]) -> str:
    """Return a mean with three decimals; a dash where a value is missing."""
    found = list(values)
    return "–" if any(value is None for value in found) else f"{statistics.mean(found):.3f}"  # type: ignore[type-var]


if __name__ == "__main__":
    sys.exit(main())
