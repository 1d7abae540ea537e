"""Measure how often the guard is right to keep a fit or its start, and what it costs where it is wrong.

    python -m scripts.benchmarks.guard run [--data digits,wine] [--methods dec,scan] [--seeds 0,1,2]
    python -m scripts.benchmarks.guard table            write the tables of docs/guard.md
    python -m scripts.benchmarks.guard table --check    exit code 1 if they differ from the lines

`run` appends a JSON line for each run to docs/results/guard/runs.jsonl. Each run has guard=false, so that the fit's
partition is there; the guard's own comparison is made afterwards. Labels are read for the scores only.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console

from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.nodes import without_hydra
from deepcluster_pl.evaluation.label_free import compare_partitions, neighborhood
from deepcluster_pl.evaluation.metrics import label_scores
from deepcluster_pl.evaluation.predictions import partition_from
from deepcluster_pl.functional.neighbor_share import neighbor_information_share
from deepcluster_pl.runs.pipeline import make_stages, train
from deepcluster_pl.runs.recipe import Recipe
from deepcluster_pl.utils.numerics import float32_arithmetic
from deepcluster_pl.utils.provenance import commit
from deepcluster_pl.utils.warnings_filter import silenced_libraries
from scripts.benchmarks.marked_tables import recorded, write_tables

ROOT = Path(__file__).resolve().parents[2]
LINES, PAGE = ROOT / "docs" / "results" / "guard" / "runs.jsonl", ROOT / "docs" / "guard.md"
SHORT = ("fit.max_steps=560", "callbacks.target_refresh.update_interval=70", "baselines=none")
DATA = {
    "digits": ("n_clusters=10", "pretrain.max_epochs=40"),
    "wine": ("n_clusters=3", "pretrain.max_epochs=300"),
    "breast_cancer": ("n_clusters=2", "pretrain.max_epochs=150"),
    "blobs": ("n_clusters=10", "data.spread=4.0", "pretrain.max_epochs=60"),
}
METHODS = ("dec", "idec", "dcn", "dkm", "vade", "scan")


def main() -> int:
    """Carry out the runs, or write or check the tables; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--data", default=",".join(DATA))
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--lines", type=Path, default=LINES, help="file that run appends to")
    parser.add_argument("--check", action="store_true", help="change nothing")
    options = parser.parse_args()
    if options.what == "table":
        return write_page(options.check)
    options.lines.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for data in options.data.split(","):
            for seed in options.seeds.split(","):
                for method in options.methods.split(","):
                    line = json.dumps(one_run(Path(scratch), data, method, int(seed)))
                    print(line, flush=True)
                    with options.lines.open("a", encoding="utf-8") as file:
                        file.write(line + "\n")
    return 0


def one_run(scratch: Path, data: str, method: str, seed: int) -> dict[str, Any]:
    """Carry out a short recipe, and compare the partition of its fit with that of its start.

    Args:
        scratch: folder for runs, and for the pretrained nets that methods of one seed share.
        data: name of the data.
        method: name of the recipe.
        seed: of the run.

    Returns:
        Scores and criteria of both partitions.
    """
    overrides = [f"method={method}", f"data={data}", *DATA[data], *SHORT, f"seed={seed}", "guard=false"]
    machine = ("trainer.accelerator=cpu", "trainer.enable_progress_bar=false", "logger=none", "pretrained=auto")
    composition = compose_checked([*overrides, *machine, f"cache_dir={scratch / 'cache'}"])
    if composition.cfg is None or composition.problems:
        raise SystemExit("\n".join(composition.problems))
    recipe = Recipe.from_config(without_hydra(composition.cfg))
    folder = scratch / f"{data}-{method}-{seed}"
    with silenced_libraries(), float32_arithmetic():
        trained = train(recipe, make_stages(recipe, folder, Console(quiet=True)), draws_figures=False)
        data_of = trained.data
        start, fit = trained.started["fit"], partition_from(trained.predictions)["fit"]
        features = functools.partial(data_of.prepared, "fit")
        found = compare_partitions(features, start, fit, seed)
        near = neighborhood(features, len(start), seed)
        shares = [neighbor_information_share(some[near.rows], near.neighbors, near.weights) for some in (start, fit)]
    labels = data_of.part("fit").labels
    scores = {name: label_scores(labels, clusters) for name, clusters in (("start", start), ("fit", fit))}
    return {
        "command": " ".join(["deepcluster", *overrides[:-1]]), "data": data, "method": method, "seed": seed,
        "commit": commit(), "steps": trained.steps,
        "start": {key: scores["start"][key] for key in ("acc", "nmi", "ari")},
        "fit": {key: scores["fit"][key] for key in ("acc", "nmi", "ari")},
        "information": {"start": found.first, "fit": found.second, "error": found.error},
        "share": {"start": shares[0], "fit": shares[1]},
        "kept": "start" if found.second_is_worse else "fit",
    }  # fmt: skip


def write_page(check: bool) -> int:
    """Fill the marks of docs/guard.md; return 1 where `check` finds a difference."""
    runs = recorded(LINES)
    return write_tables(PAGE, "guard", {"methods": table(runs, "method"), "data": table(runs, "data")}, check)


def table(runs: list[dict[str, Any]], key: str) -> str:
    """Return a table with a row for each value of a key, and one for all runs.

    Args:
        runs: the recorded lines.
        key: `method` or `data`.
    """
    heads = (key, "runs", "fit below its start", "start kept", "of these right", "NMI start", "fit", "guarded", "best")
    rows = [heads, ["---"] * len(heads)]
    for value in [*dict.fromkeys(run[key] for run in runs), None]:
        own = [run for run in runs if value in (None, run[key])]
        kept = [run for run in own if run["kept"] == "start"]
        rows.append([
            f"`{value}`" if value else "**all**", str(len(own)), str(sum(gain(run) < 0 for run in own)),
            str(len(kept)), str(sum(gain(run) < 0 for run in kept)),
            *(mean(run[part]["nmi"] for run in own) for part in ("start", "fit")),
            mean(run[run["kept"]]["nmi"] for run in own),
            mean(max(run["start"]["nmi"], run["fit"]["nmi"]) for run in own),
        ])  # fmt: skip
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def gain(run: dict[str, Any]) -> float:
    """Return how much NMI the fit added to its start."""
    return float(run["fit"]["nmi"] - run["start"]["nmi"])


def mean(values: Iterable[float]) -> str:
    """Return a mean with three decimals."""
    return f"{statistics.mean(values):.3f}"


if __name__ == "__main__":
    sys.exit(main())
