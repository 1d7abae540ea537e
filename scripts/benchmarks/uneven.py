"""Measure method=scan on genuine samples of uneven groups: even sizes, or those that neighbors tell, beside auto.

    python -m scripts.benchmarks.uneven run [--data wine,mnist] [--root data] [--starts kmeans] [--seeds 0,1,2]
    python -m scripts.benchmarks.uneven table            write the tables of docs/methods/scan.md
    python -m scripts.benchmarks.uneven table --check    exit code 1 if they differ from the lines

`scripts/benchmarks/uneven_sets.py` makes the collections. Each run has guard=false, so that the fit's partition is
there, and a small net; what the guard would keep is recorded beside it. Where `sizes=auto` leaves the loss as it is,
`sizes=even` is the same run and is not repeated. A JSON line for each run is appended to
docs/results/uneven/runs.jsonl; earlier_rule.jsonl beside it has runs of an earlier rule of `sizes=auto`. Labels thin
the samples and score them, and do nothing else.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.nodes import without_hydra
from deepcluster_pl.evaluation.label_free import compare_partitions
from deepcluster_pl.evaluation.metrics import label_scores
from deepcluster_pl.evaluation.predictions import partition_from
from deepcluster_pl.methods.scan import SCAN
from deepcluster_pl.runs.pipeline import carry_out, make_stages
from deepcluster_pl.runs.recipe import Recipe
from deepcluster_pl.runs.trained import Trained
from deepcluster_pl.utils.numerics import float32_arithmetic
from deepcluster_pl.utils.provenance import commit
from deepcluster_pl.utils.warnings_filter import silenced_libraries
from scripts.benchmarks.marked_tables import as_markdown, recorded, write_tables
from scripts.benchmarks.uneven_sets import COLLECTIONS, write_collection

DOCS = Path(__file__).resolve().parents[2] / "docs"
LINES, PAGE = DOCS / "results" / "uneven" / "runs.jsonl", DOCS / "methods" / "scan.md"
EARLIER = LINES.with_name("earlier_rule.jsonl")
_STEPS, _BATCH = 1000, 256
_AUTO = "method=auto"


def main() -> int:
    """Carry out the runs, or write or check the tables; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--check", action="store_true", help="change nothing")
    parser.add_argument("--data", default=",".join(COLLECTIONS))
    parser.add_argument("--root", type=Path, default=Path("data"), help="folder of MNIST/ and FashionMNIST/")
    parser.add_argument("--starts", default="kmeans,communities")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--runs", default="method=auto,auto,even", help="the recipe without a start, and sizes of scan")
    parser.add_argument("--lines", type=Path, default=LINES)
    options = parser.parse_args()
    if options.what == "table":
        return write_tables(PAGE, "uneven", tables(recorded(options.lines), recorded(EARLIER)), options.check)
    with tempfile.TemporaryDirectory() as name:
        for seed in map(int, options.seeds.split(",")):
            for data in options.data.split(","):
                for found in runs_of(data, options, seed, Path(name)):
                    print(json.dumps(found), flush=True)
                    with options.lines.open("a", encoding="utf-8") as lines:
                        lines.write(json.dumps(found) + "\n")
    return 0


def runs_of(data: str, options: argparse.Namespace, seed: int, scratch: Path) -> Iterator[dict[str, Any]]:
    """Yield a line for method=auto, and for each start one with `sizes=auto` and one with `sizes=even`.

    Args:
        data: key of `COLLECTIONS`.
        options: starts of scan, which runs are wanted, and the folder of MNIST/ and FashionMNIST/.
        seed: of the collection and of the runs.
        scratch: folder for samples, runs, and the pretrained nets that runs of one seed share.
    """
    words, sizes = write_collection(data, options.root, seed, scratch)
    common = {"data": data, "seed": seed, "groups": sizes, "commit": commit()}
    words += [f"seed={seed}", "baselines=none", "logger=none", "trainer.accelerator=cpu", f"cache_dir={scratch}/cache"]
    wanted = options.runs.split(",")
    if _AUTO in wanted:
        auto = carried_out([*words, _AUTO, "auto.budget=quick"], scratch / f"{data}-{seed}-auto")
        assert auto.choice is not None
        yield common | {"method": "auto", "chosen": auto.choice.name, "of_fit": scored(auto, "fit")}
    for start in options.starts.split(","):
        epochs = round(_STEPS / -(-sum(sizes) // _BATCH))
        of_scan = [
            "method=scan", f"start={start}", f"pretrain.max_epochs={epochs}", "fit.max_steps=700", "guard=false",
            "net.dims=[200,200,10]", "pretrained=auto", *(["augment=affine"] if COLLECTIONS[data].is_image else []),
        ]  # fmt: skip
        line: dict[str, Any] | None = None
        for rule in (rule for rule in ("auto", "even") if rule in wanted):
            if line is not None and line["asks_for"] is None:
                yield line | {"sizes": rule}
                continue
            trained = carried_out([*words, *of_scan, f"method.sizes={rule}"], scratch / f"{data}-{seed}-{start}-{rule}")
            assert isinstance(trained.method, SCAN)
            shares = trained.method.shares
            line = common | {
                "start": start, "sizes": rule,
                "of_start": scored(trained, "start"), "of_fit": scored(trained, "fit"),
                "asks_for": None if shares is None else sorted((shares * sum(sizes)).int().tolist(), reverse=True),
                "guard_keeps": kept(trained, seed),
            }  # fmt: skip
            yield line


def carried_out(typed: list[str], folder: Path) -> Trained:
    """Carry out a recipe.

    Args:
        typed: its settings.
        folder: for its checkpoints.
    """
    composition = compose_checked([*typed, "trainer.enable_progress_bar=false"])
    if composition.cfg is None or composition.problems:
        raise SystemExit("\n".join(composition.problems))
    recipe = Recipe.from_config(without_hydra(composition.cfg))
    with silenced_libraries(), float32_arithmetic():
        return carry_out(recipe, make_stages(recipe, folder, Console(quiet=True)), draws_figures=False)


def scored(trained: Trained, which: str) -> dict[str, Any]:
    """Return scores and sizes of the partition of a fit, or of its start.

    Args:
        trained: a run that has ended.
        which: fit or start.
    """
    clusters = (trained.started if which == "start" else partition_from(trained.predictions))["fit"]
    of_labels = label_scores(trained.data.part("fit").labels, clusters)
    scores: dict[str, Any] = {key: round(float(of_labels[key] or 0), 4) for key in ("acc", "nmi", "ari")}
    return scores | {"sizes": sorted(np.bincount(clusters).tolist(), reverse=True)}


def kept(trained: Trained, seed: int) -> str:
    """Return which partition the guard would keep, `start` or `fit`."""
    data, start, fit = trained.data, trained.started["fit"], partition_from(trained.predictions)["fit"]
    by_share = trained.method.asks_for_uneven_sizes
    found = compare_partitions(lambda rows: data.prepared("fit", rows), start, fit, seed, by_share)
    return "start" if found.second_is_worse else "fit"


def tables(runs: list[dict[str, Any]], earlier: list[dict[str, Any]]) -> dict[str, str]:
    """Return the table of means over seeds, a row for each collection and start.

    Args:
        runs: recorded lines.
        earlier: lines of `sizes=auto` by its earlier rule.
    """
    rows: list[tuple[str, ...]] = [
        ("data", "groups", "start", "seeds", "the start", "`sizes=even`", "earlier `auto`", "`sizes=auto`",
         "asks for uneven", "with the guard", "`method=auto`")
    ]  # fmt: skip
    for data in (name for name in COLLECTIONS if any(run["data"] == name for run in runs)):
        for start in dict.fromkeys(run["start"] for run in runs if run["data"] == data and "start" in run):
            fits = {run["seed"]: run for run in runs if is_run(run, data, start, "auto")}
            of: dict[str, dict[int, dict[str, Any]]] = {
                "even": {run["seed"]: run["of_fit"] for run in runs if is_run(run, data, start, "even")},
                "earlier": {run["seed"]: run["of_fit"] for run in earlier if is_run(run, data, start, "auto")},
                "method": {run["seed"]: run["of_fit"] for run in runs if run["data"] == data and "method" in run},
            }
            guarded = [run["of_start" if run["guard_keeps"] == "start" else "of_fit"] for run in fits.values()]
            fired = sum(run["asks_for"] is not None for run in fits.values())
            rows.append((
                f"{data}{'*' if COLLECTIONS[data].development else ''}", shown_sizes(runs, data), start,
                ", ".join(map(str, fits)), shown([run["of_start"] for run in fits.values()]),
                *(shown([of[name][seed] for seed in fits if seed in of[name]]) for name in ("even", "earlier")),
                shown([run["of_fit"] for run in fits.values()]), f"{fired} of {len(fits)}", shown(guarded),
                shown([of["method"][seed] for seed in fits if seed in of["method"]]),
            ))  # fmt: skip
    return {"table": as_markdown([row for row in rows if row[3]])}


def is_run(run: dict[str, Any], data: str, start: str, sizes: str) -> bool:
    """Return whether a line is one of scan on these data.

    Args:
        run: a line.
        data: key of `COLLECTIONS`.
        start: initialization.
        sizes: even or auto.
    """
    return (run["data"], run.get("start"), run.get("sizes")) == (data, start, sizes)


def shown_sizes(runs: list[dict[str, Any]], data: str) -> str:
    """Return the sizes of a collection's groups in a few words.

    Args:
        runs: recorded lines.
        data: key of `COLLECTIONS`.
    """
    sizes = next(run["groups"] for run in runs if run["data"] == data)
    if len(set(sizes)) == 1:
        return f"{len(sizes)} of {sizes[0]}"
    return " + ".join(map(str, sizes)) if len(sizes) <= 3 else f"{len(sizes)}, {sizes[0]} to {sizes[-1]}"


def shown(scores: list[dict[str, Any]]) -> str:
    """Return the means of ACC and NMI, with three digits each.

    >>> shown([{"acc": 0.5, "nmi": 0.25}, {"acc": 1.0, "nmi": 0.5}])
    '0.750/0.375'
    """
    if not scores:
        return "–"
    return "/".join(f"{statistics.mean(each[key] for each in scores):.3f}" for key in ("acc", "nmi"))


if __name__ == "__main__":
    raise SystemExit(main())
