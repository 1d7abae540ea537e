"""Measure the levels of a partition: coarse ones beside random merges, fine ones beside random splits.

    python -m scripts.benchmarks.levels run [--data digits,mnist_10k] [--seeds 0,1,2] [--root data]
    python -m scripts.benchmarks.levels table            write the table of docs/levels.md
    python -m scripts.benchmarks.levels table --check    exit code 1 if it differs from the lines

`run` groups the data by k-means and by `method=graph` with several K, builds the levels, and appends a JSON line for
each level to docs/results/levels/runs.jsonl. A random merge joins the same groups into as many, with as many groups in
each; a random split cuts the same groups into parts of the same sizes. Labels are read for the scores only.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.metrics import normalized_mutual_info_score

from deepcluster_pl.evaluation.find_levels import make_levels
from deepcluster_pl.evaluation.predictions import Prediction
from deepcluster_pl.functional.neighbors import nearest_neighbors
from deepcluster_pl.functional.spectral_partition import spectral_partition, symmetric_graph
from deepcluster_pl.utils.provenance import commit
from scripts.benchmarks.marked_tables import as_markdown, recorded, write_tables
from scripts.benchmarks.training_digits import draw_digits

ROOT = Path(__file__).resolve().parents[2]
LINES, PAGE = ROOT / "docs" / "results" / "levels" / "runs.jsonl", ROOT / "docs" / "levels.md"
NUMBERS = (5, 10, 20, 30)
_DRAWS = 50


def main() -> int:
    """Measure, or write or check the table; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--data", default="digits,mnist_10k")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--root", type=Path, default=Path("data"), help="folder of MNIST/")
    parser.add_argument("--check", action="store_true", help="change nothing")
    options = parser.parse_args()
    if options.what == "table":
        return write_table(options.check)
    for data in options.data.split(","):
        for seed in map(int, options.seeds.split(",")):
            x, labels = samples(data, seed, options.root)
            for method, k, clusters in partitions(x, seed):
                for line in measure(x, labels, clusters, k, seed):
                    record = {"data": data, "seed": seed, "method": method, "n_clusters": k, "commit": commit(), **line}
                    print(json.dumps(record), flush=True)
                    with LINES.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(record) + "\n")
    return 0


def samples(data: str, seed: int, root: Path) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Return pixels (N, F) and labels (N,): all digits, or 10,000 images of MNIST drawn by the seed."""
    if data == "digits":
        x, y = load_digits(return_X_y=True)
        return x.astype(np.float32), y
    if data != "mnist_10k":
        raise SystemExit(f"--data={data}: expected digits or mnist_10k")
    return draw_digits(root, 10_000, np.random.default_rng(seed))


def partitions(x: NDArray[np.float32], seed: int) -> list[tuple[str, int, NDArray[np.int64]]]:
    """Return partitions to build levels of: method, K and clusters (N,)."""
    found = []
    for k in NUMBERS:
        fitted = KMeans(k, n_init=3, random_state=seed).fit_predict(x).astype(np.int64)
        found.append(("kmeans", k, fitted))
    graph = symmetric_graph(nearest_neighbors(torch.from_numpy(x), 10).numpy())
    found.append(("graph", 10, spectral_partition(graph, 10, 0.5, seed)))
    return found


def measure(
    x: NDArray[np.float32], labels: NDArray[Any], clusters: NDArray[np.int64], k: int, seed: int
) -> list[dict[str, Any]]:
    """Return the scores of each level of a partition, and of random ones of the same shape.

    Args:
        x: samples (N, F), which are their own embeddings.
        labels: (N,).
        clusters: (N,).
        k: number of clusters.
        seed: decides rows and random levels.
    """
    ones = torch.ones(len(x))
    began = time.process_time()
    levels = make_levels({"fit": Prediction(torch.from_numpy(x), torch.from_numpy(clusters), ones, 0 * ones)}, k, seed)
    seconds = time.process_time() - began
    generator, lines = np.random.default_rng(seed), []
    for level in levels.offered:
        groups = level.group_of_cell[levels.cells["fit"]]
        random = []
        for _ in range(_DRAWS if level.kind != "chosen" else 0):
            if level.kind == "fine":  # the same parts, drawn at random inside each cluster
                other = np.empty_like(groups)
                for cluster in np.unique(clusters):
                    rows = np.flatnonzero(clusters == cluster)
                    other[rows] = generator.permutation(groups[rows])
            else:  # the same joins, of other clusters
                present = np.unique(clusters)
                parents = np.array([groups[clusters == cluster][0] for cluster in present])
                other = generator.permutation(parents)[np.searchsorted(present, clusters)]
            random.append((purity(labels, other), nmi(labels, other), together(labels, other)))
        scores = (purity(labels, groups), nmi(labels, groups), together(labels, groups))
        names = ("purity", "nmi", "together")
        lines.append({
            "level": level.kind, "n_groups": level.n_groups, **dict(zip(names, scores, strict=True)),
            "random": dict(zip(names, np.mean(random, axis=0).tolist(), strict=True)) if random else None,
            "seconds": round(seconds, 2),
        })  # fmt: skip
    return lines


def purity(labels: NDArray[Any], groups: NDArray[np.int64]) -> float:
    """Return the share of samples with the most frequent label of their group."""
    most = [np.unique(labels[groups == group], return_counts=True)[1].max() for group in np.unique(groups)]
    return float(np.sum(most)) / len(labels)


def together(labels: NDArray[Any], groups: NDArray[np.int64]) -> float:
    """Return the share of samples in the group that most samples of their label are in."""
    return purity(groups, labels)


def nmi(labels: NDArray[Any], groups: NDArray[np.int64]) -> float:
    """Return the normalized mutual information."""
    return float(normalized_mutual_info_score(labels, groups))


def write_table(check: bool) -> int:
    """Write the table between the marks of docs/levels.md; with `check`, return 1 where it differs."""
    runs = recorded(LINES)
    heads = (
        "data", "method", "K", "level", "groups", "purity", "of random", "NMI", "of random", "label together",
        "of random", "seconds",
    )  # fmt: skip
    rows: list[tuple[str, ...]] = [heads]
    for key in dict.fromkeys((run["data"], run["method"], run["n_clusters"], run["level"]) for run in runs):
        own = [run for run in runs if (run["data"], run["method"], run["n_clusters"], run["level"]) == key]
        cells = [key[0], f"`{key[1]}`", str(key[2]), key[3], f"{statistics.mean(run['n_groups'] for run in own):.0f}"]
        for name in ("purity", "nmi", "together"):
            cells.append(f"{statistics.mean(run[name] for run in own):.3f}")
            random = [run["random"][name] for run in own if run["random"]]
            cells.append(f"{statistics.mean(random):.3f}" if random else "")
        rows.append((*cells, f"{statistics.mean(run['seconds'] for run in own):.1f}"))
    return write_tables(PAGE, "levels", {"table": as_markdown(rows)}, check)


if __name__ == "__main__":
    sys.exit(main())
