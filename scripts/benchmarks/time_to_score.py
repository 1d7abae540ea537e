"""Measure the seconds from a command's start to an NMI of .80, .90, .95 on MNIST: this project beside other programs.

    python -m scripts.benchmarks.time_to_score --root <folder with MNIST/raw> [--data mnist_10k] [--peers <folder>]
        [--only ours/pca_gmm clustpy/DEC] [--limit 3600] [--seed 0] [--trial]
    python -m scripts.benchmarks.time_to_score --table [--check]

Every program runs alone, one after the other, on all cores, from its start to its end or to `--limit` seconds. Time
counts from the start of its process, imports included. Each partition that a program reports on its way is scored: of
this project the refreshes and the result, of Keras the refreshes, of ClustPy and scikit-learn the result. Labels are
read for these scores only. Without --peers, only this project and scikit-learn run; the folder has an environment for
each of the others, as in scripts.benchmarks.speed. Lines go to docs/results/time_to_score/, the table into
docs/performance.md; --trial records nothing and prints the table.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch

from deepcluster_pl.utils.csv_logger import read_curves
from deepcluster_pl.utils.json_files import read_json
from deepcluster_pl.utils.provenance import commit, machine, versions
from scripts.benchmarks.timing.peers import PACKAGES, make_environment
from scripts.docs.pages import write_between

ROOT = Path(__file__).resolve().parents[2]
LINES, PAGE = ROOT / "docs" / "results" / "time_to_score" / "runs.jsonl", ROOT / "docs" / "performance.md"
PROGRAMS = Path(__file__).resolve().parent / "timing"
SCORES = (0.80, 0.90, 0.95)
SETS = {"mnist": "all", "mnist_10k": "test"}
"""Images of MNIST by name of the set, as `data.images` has them."""
OURS = ("gradients", "gradients student=conv", "pca_gmm", "dec", "idec", "da/scan", "auto")
PEERS = ("sklearn/KMeans", "sklearn/GaussianMixture", "sklearn/Ward", "sklearn/Spectral", "clustpy/DEC", "clustpy/IDEC",
         "clustpy/N2D", "keras/DEC")  # fmt: skip
FEW_ROWS = ("sklearn/Ward", "sklearn/Spectral")
"""Programs that are left out of 70,000 rows, since they need N² memory or hours there."""
Points = list[tuple[float, float]]
"""Seconds since the start of a program, and the NMI of the partition that it had then."""


def main() -> int:
    """Run the programs and record them, or write or check the table; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--root", type=Path, help="folder that contains MNIST/raw")
    parser.add_argument("--data", choices=tuple(SETS), default="mnist")
    parser.add_argument("--peers", type=Path, help="folder of the peers' environments")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="such as 'ours/da/scan student=conv' or clustpy/DEC")
    parser.add_argument("--limit", type=float, default=3600.0, help="seconds that a program may take")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--trial", action="store_true", help="record nothing, and print the table")
    parser.add_argument("--table", action="store_true", help="run nothing; write the table")
    parser.add_argument("--check", action="store_true", help="exit code 1 if the table differs from the lines")
    chosen = parser.parse_args()
    if chosen.table or chosen.check:
        return write_table(chosen.check)
    if chosen.root is None:
        parser.error("--root is missing: the folder that contains MNIST/raw")
    names = chosen.only or [*(f"ours/{method}" for method in OURS), *PEERS]
    names = [name for name in names if chosen.peers or name.partition("/")[0] not in PACKAGES]
    if chosen.data == "mnist" and not chosen.only:
        names = [name for name in names if name not in FEW_ROWS]
    here = machine(torch.device("cpu"), "32-true", 1)
    session = {"data": chosen.data, "seed": chosen.seed, "limit": chosen.limit, "date": str(date.today()),
               "commit": commit(), "processor": here["processor"], "threads": here["threads"],
               "versions": versions()}  # fmt: skip
    done = []
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "x.npz"
        save_images(chosen.root, SETS[chosen.data], file)
        for name in names:
            command, folder = command_of(name, chosen, file, Path(scratch) / "run")
            points, ended = scored(command, folder, chosen.limit)
            line = {**session, "name": name, "ended": ended, "seconds": seconds_to(points), "points": points}
            print(json.dumps({key: line[key] for key in ("name", "ended", "seconds")}), flush=True)
            done.append(line)
            if not chosen.trial:
                LINES.parent.mkdir(parents=True, exist_ok=True)
                with LINES.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(line) + "\n")
    if chosen.trial:
        print("\n".join(tables(done)))
        return 0
    return write_table()


def save_images(root: Path, images: str, file: Path) -> None:
    """Save the images of MNIST and their labels, for programs other than ours.

    Args:
        root: folder that contains MNIST/raw.
        images: `all` or `test`.
        file: to write, .npz with `x` (N, 28, 28) in bytes and `labels` (N,).
    """
    from torchvision.datasets import MNIST

    sets = [MNIST(str(root), train=train) for train in ((True, False) if images == "all" else (False,))]
    x, labels = (np.concatenate([getattr(part, name).numpy() for part in sets]) for name in ("data", "targets"))
    np.savez(file, x=x, labels=labels)


def command_of(name: str, chosen: argparse.Namespace, file: Path, run: Path) -> tuple[list[str], Path | None]:
    """Return the command of a program, and the folder in which a run of ours leaves its scores.

    Args:
        name: such as `ours/da/scan student=conv` or `clustpy/DEC`.
        chosen: the typed options.
        file: the images, for other programs.
        run: parent of the run folders.
    """
    package, _, method = name.partition("/")
    if package == "ours":
        folder = run / method.replace("/", "_").replace(" ", "_")
        data = ["data=mnist", f"data.root={chosen.root}", f"data.images={SETS[chosen.data]}", f"seed={chosen.seed}"]
        command = [sys.executable, "-m", "deepcluster_pl", *data, *f"method={method}".split(), "baselines=none"]
        return [*command, f"hydra.run.dir={folder}"], folder
    python = make_environment(package, chosen.peers.absolute()) if package in PACKAGES else Path(sys.executable)
    return [str(python), str(PROGRAMS / f"{package}_clusters.py"), str(file), method, str(chosen.seed)], None


def scored(command: list[str], folder: Path | None, limit: float) -> tuple[Points, str]:
    """Run a program, and note when it had which score.

    Args:
        command: its words.
        folder: run folder of ours, whose curves and scores are read as they appear; None for a program that prints.
        limit: seconds after which it is ended.

    Returns:
        The points, and how it ended: `done`, `limit` or `failed`.
    """
    began, points, seen = time.monotonic(), Points(), 0
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed with the process's last reader
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment, cwd=tempfile.gettempdir()
    )
    printed, reader = lines_of(process)
    while True:
        over = process.poll() is not None
        if over:
            reader.join()  # its last lines are there then
        now = time.monotonic() - began
        found = list(scores_in(folder)) if folder is not None else []
        while not printed.empty():
            word, _, value = printed.get().partition(" ")
            found += [float(value)] if word == "score" and folder is None else []
        new = found[seen:] if folder is not None else found
        seen = max(seen, len(found)) if folder is not None else 0
        points += [(round(now, 2), round(score, 4)) for score in new]
        if over:
            if process.returncode:
                errors.seek(0)
                print(errors.read()[-2000:], file=sys.stderr)
            return points, "failed" if process.returncode else "done"
        if now > limit:
            process.terminate()
            process.wait()
            return points, "limit"
        time.sleep(0.1)


def lines_of(process: subprocess.Popen[str]) -> tuple[queue.SimpleQueue[str], threading.Thread]:
    """Return a queue that gets every line that a process prints, and the thread that fills it."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line.rstrip())

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return lines, thread


def scores_in(folder: Path) -> Iterator[float]:
    """Yield the NMI of every refresh of a run so far, and at last that of its result."""
    curve = read_curves([folder / "fit" / "metrics.csv"]).get("clusters/nmi", {})
    yield from (value for _, value in sorted(curve.items()))
    try:
        yield float(read_json(folder / "scores.json")["fit"]["nmi"])
    except (OSError, ValueError, KeyError):
        return


def seconds_to(points: Points) -> dict[str, float | None]:
    """Return the seconds to the first partition with each score; None where there was none.

    >>> seconds_to([(3.0, 0.7), (5.0, 0.91), (6.0, 0.85)])
    {'0.80': 5.0, '0.90': 5.0, '0.95': None}
    """
    return {f"{score:.2f}": next((at for at, found in points if found >= score), None) for score in SCORES}


def write_table(check: bool = False) -> int:
    """Write the tables of the recorded lines into the page.

    Args:
        check: change nothing.

    Returns:
        1 if the page differs from the lines and `check` is set, else 0.
    """
    before = PAGE.read_text(encoding="utf-8")
    runs = [json.loads(line) for line in LINES.read_text(encoding="utf-8").splitlines()] if LINES.is_file() else []
    write_between(PAGE, "time_to_score", tables(runs))
    after = PAGE.read_text(encoding="utf-8")
    if check:
        PAGE.write_text(before, encoding="utf-8")
    return int(check and before != after)


def tables(runs: list[dict[str, Any]]) -> list[str]:
    """Return the lines of a table for each set of images; of a program's runs in one, the last line counts."""
    lines: list[str] = []
    for data in SETS:
        latest = {run["name"]: run for run in runs if run["data"] == data}
        if not latest:
            continue
        last = list(latest.values())[-1]
        where = (
            f"{last['processor']}, {last['threads']} threads, PyTorch {last['versions']['torch']}, seed {last['seed']}"
        )
        lines += [f"{data}: {where}; at most {last['limit']:.0f} s each.", ""]
        lines += [
            "| program | NMI .80, s | NMI .90, s | NMI .95, s | its last NMI | after, s |",
            "|---|---|---|---|---|---|",
        ]
        lines += [row(run) for run in sorted(latest.values(), key=lambda run: run["name"])] + [""]
    return lines[:-1] or ["No run is recorded yet."]


def row(run: dict[str, Any]) -> str:
    """Return the row of one program."""
    cells = ["-" if value is None else f"{value:.0f}" for value in run["seconds"].values()]
    end, at = (f"{run['points'][-1][1]:.3f}", f"{run['points'][-1][0]:.0f}") if run["points"] else ("-", "-")
    note = {"done": "", "limit": " (ended by the limit)", "failed": " (failed)"}[run["ended"]]
    return f"| `{run['name']}`{note} | {' | '.join([*cells, end, at])} |"


if __name__ == "__main__":
    sys.exit(main())
