"""Measure method=scan on images of very uneven groups: even sizes, or those of its start, in the term of sizes.

    python -m scripts.benchmarks.uneven run [--data digits,mnist] [--root data] [--starts communities,gmm] [--seeds 0,1]
    python -m scripts.benchmarks.uneven table            write the table of docs/methods/scan.md
    python -m scripts.benchmarks.uneven table --check    exit code 1 if it differs from the lines

Digits are thinned: the ten groups of scikit-learn's hold 178, 125, 87 … 7 samples, each seven tenths of the one before.
Three groups of MNIST hold 900, 80 and 20. Each run has guard=false, so that the fit's partition
is there, and a small net. A JSON line for each run is appended to docs/results/uneven/runs.jsonl. Labels thin the
samples and score them, and do nothing else.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from sklearn.datasets import load_digits

from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.nodes import without_hydra
from deepcluster_pl.evaluation.metrics import label_scores
from deepcluster_pl.evaluation.predictions import partition_from
from deepcluster_pl.runs.pipeline import make_stages, train
from deepcluster_pl.runs.recipe import Recipe
from deepcluster_pl.utils.numerics import float32_arithmetic
from deepcluster_pl.utils.provenance import commit
from deepcluster_pl.utils.warnings_filter import silenced_libraries
from scripts.benchmarks.marked_tables import as_markdown, recorded, write_tables

DOCS = Path(__file__).resolve().parents[2] / "docs"
LINES, PAGE = DOCS / "results" / "uneven" / "runs.jsonl", DOCS / "methods" / "scan.md"
NAMES = {"mnist": "mnist, 900 + 80 + 20", "digits": "digits, 178 to 7"}
LENGTHS = {
    "digits": ("pretrain.max_epochs=300", "fit.max_steps=700"),
    "mnist": ("pretrain.max_epochs=250", "fit.max_steps=700"),
}


def main() -> int:
    """Carry out the runs, or write or check the table; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--check", action="store_true", help="change nothing")
    parser.add_argument("--data", default="digits,mnist")
    parser.add_argument("--root", type=Path, default=Path("data"), help="folder of MNIST")
    parser.add_argument("--starts", default="communities,gmm")
    parser.add_argument("--seeds", default="0,1")
    parser.add_argument("--sizes", default="even,auto")
    options = parser.parse_args()
    if options.what == "table":
        return write_table(options.check)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for data in options.data.split(","):
            for seed in map(int, options.seeds.split(",")):
                file = scratch / f"{data}-{seed}.npz"
                x, labels = thinned(data, options.root, seed)
                np.savez(file, x=x, y=labels)
                for start in options.starts.split(","):
                    for sizes in options.sizes.split(","):
                        found = one_run(scratch, file, {"data": data, "start": start, "sizes": sizes, "seed": seed})
                        print(json.dumps(found), flush=True)
                        with LINES.open("a", encoding="utf-8") as lines:
                            lines.write(json.dumps(found) + "\n")
    return 0


def write_table(check: bool) -> int:
    """Write the table of the page, a row for each start and seed; return the exit code.

    Args:
        check: whether to change nothing.
    """
    rows: list[tuple[str, ...]] = [("data", "start", "seed", "ACC/NMI of the start", "`sizes=even`", "`sizes=auto`")]
    runs = recorded(LINES)
    for data, start, seed in dict.fromkeys((run["data"], run["start"], run["seed"]) for run in runs):
        of = {run["sizes"]: run for run in runs if (run["data"], run["start"], run["seed"]) == (data, start, seed)}
        fits = [shown(of[sizes]["of_fit"]) if sizes in of else "–" for sizes in ("even", "auto")]
        rows.append((NAMES[data], start, str(seed), shown(next(iter(of.values()))["of_start"]), *fits))
    return write_tables(PAGE, "uneven", {"table": as_markdown(rows)}, check)


def shown(scores: dict[str, Any]) -> str:
    """Return ACC and NMI, with three digits each."""
    return f"{scores['acc']:.3f}/{scores['nmi']:.3f}"


def thinned(data: str, root: Path, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return images and labels of groups of very different size.

    Args:
        data: digits or mnist.
        root: folder of MNIST.
        seed: decides which group is large and which samples stay.
    """
    if data == "digits":
        bunch = load_digits()
        x, labels = (bunch.images * 15).astype(np.uint8), bunch.target
        wanted = [int(178 * 0.7**i) for i in range(10)]
    else:
        from torchvision.datasets import MNIST

        images = MNIST(str(root), train=True)
        x, labels, wanted = images.data.numpy(), images.targets.numpy(), [900, 80, 20]
    random = np.random.default_rng(seed)
    groups = random.permutation(10)
    rows = [random.permutation(np.flatnonzero(labels == group))[:n] for group, n in zip(groups, wanted, strict=False)]
    kept = random.permutation(np.concatenate(rows))
    return x[kept], labels[kept].astype(np.int64)


def one_run(scratch: Path, file: Path, what: dict[str, Any]) -> dict[str, Any]:
    """Carry out a recipe, and score the partition of its start and that of its fit.

    Args:
        scratch: folder for runs, and for the pretrained nets that runs of one seed share.
        file: samples and labels.
        what: data, start, sizes and seed.
    """
    overrides = [
        "method=scan", "data=array", f"data.path={file}", f"n_clusters={len(np.unique(np.load(file)['y']))}",
        f"start={what['start']}", f"method.sizes={what['sizes']}", f"seed={what['seed']}", *LENGTHS[what["data"]],
        "net.dims=[200,200,10]", "guard=false", "baselines=none", "augment=affine", "data.scale=none",
        "trainer.accelerator=cpu", "trainer.enable_progress_bar=false", "logger=none", "pretrained=auto",
        f"cache_dir={scratch / 'cache'}",
    ]  # fmt: skip
    composition = compose_checked(overrides)
    if composition.cfg is None or composition.problems:
        raise SystemExit("\n".join(composition.problems))
    recipe = Recipe.from_config(without_hydra(composition.cfg))
    folder = scratch / "-".join(map(str, what.values()))
    with silenced_libraries(), float32_arithmetic():
        trained = train(recipe, make_stages(recipe, folder, Console(quiet=True)), draws_figures=False)
    labels = trained.data.part("fit").labels
    found = {"start": trained.started["fit"], "fit": partition_from(trained.predictions)["fit"]}
    scores: dict[str, Any] = {}
    for name, clusters in found.items():
        of_labels = label_scores(labels, clusters)
        scores[f"of_{name}"] = {key: of_labels[key] for key in ("acc", "nmi", "ari")} | {
            "sizes": sorted(np.bincount(clusters).tolist(), reverse=True)
        }
    return what | {"commit": commit()} | scores


if __name__ == "__main__":
    raise SystemExit(main())
