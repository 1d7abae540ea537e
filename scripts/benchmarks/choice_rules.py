"""Compare rules that choose a partition without labels, on data that none of them was made on.

    python -m scripts.benchmarks.choice_rules run [--seeds 0,1,2] [--root data]
    python -m scripts.benchmarks.choice_rules table            write the table of docs/auto.md
    python -m scripts.benchmarks.choice_rules table --check    exit code 1 if it differs from the lines

`run` makes six partitions of each data set and appends a JSON line with the NMI of what each rule chooses. `--root` is
the folder of MNIST/. Labels are read for the scores only.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.datasets import make_blobs, make_circles, make_classification
from sklearn.decomposition import PCA
from sklearn.metrics import normalized_mutual_info_score
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler

from deepcluster_pl.evaluation.candidate_choice import rank_candidates
from deepcluster_pl.functional.neighbors import nearest_neighbors
from deepcluster_pl.functional.spectral_partition import spectral_partition, symmetric_graph
from deepcluster_pl.utils.provenance import commit
from scripts.benchmarks.marked_tables import as_markdown, recorded, write_tables
from scripts.benchmarks.training_digits import draw_digits

ROOT = Path(__file__).resolve().parents[2]
LINES, PAGE = ROOT / "docs" / "results" / "auto" / "rules.jsonl", ROOT / "docs" / "auto.md"
RULES = {
    "rule": "the rule",
    "former": "undivided information, a quarter agreement",
    "share": "information per entropy",
    "information": "undivided information",
    "agreement": "agreement",
}
Labels = NDArray[np.int64]


def main() -> int:
    """Measure, or write or check the table; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--root", type=Path, default=Path("data"), help="folder of MNIST/")
    parser.add_argument("--check", action="store_true", help="change nothing")
    options = parser.parse_args()
    if options.what == "table":
        return write_table(options.check)
    for seed in map(int, options.seeds.split(",")):
        for data, x, labels, k in data_sets(seed, options.root):
            line = json.dumps({"data": data, "seed": seed, "commit": commit(), **compare(x, labels, k, seed)})
            print(line, flush=True)
            with LINES.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
    return 0


def data_sets(seed: int, root: Path) -> Iterator[tuple[str, NDArray[np.float32], Labels, int]]:
    """Yield the name, samples (N, F), labels (N,) and number of classes of each data set."""
    generator = np.random.default_rng(seed)
    x, y = make_circles(800, factor=0.5, noise=0.06, random_state=seed)
    yield "circles", scaled(x), y, 2
    x, y = make_blobs([500, 200, 100, 60], centers=generator.normal(size=(4, 2)) * 6, random_state=seed)
    yield "stretched, uneven blobs", scaled(x @ np.array([[0.6, -0.6], [-0.4, 0.8]])), y, 4
    x, y = make_blobs([400, 300, 80], 6, cluster_std=[1, 2.5, 0.5], random_state=seed)
    yield "blobs of unlike widths", scaled(x), y, 3
    x, y = make_classification(
        900, 12, n_informative=6, n_redundant=2, n_classes=4, n_clusters_per_class=1, class_sep=1.6, random_state=seed
    )
    yield "make_classification", scaled(x), y, 4
    yield "2,000 of MNIST, pixels", *draw_digits(root, 2000, generator), 10


def scaled(x: NDArray[Any]) -> NDArray[np.float32]:
    """Return columns of mean 0 and variance 1."""
    return np.asarray(StandardScaler().fit_transform(x), dtype=np.float32)


def partitions(x: NDArray[np.float32], k: int, seed: int) -> list[Labels]:
    """Return six partitions into K clusters, the simplest first."""
    components = PCA(min(20, x.shape[1]), random_state=0).fit_transform(x)
    width = 0.1 * float(components.var(axis=0).mean())
    graphs = [symmetric_graph(nearest_neighbors(torch.from_numpy(x), n).numpy()) for n in (10, 20)]
    found = [
        KMeans(k, n_init=10, random_state=seed).fit_predict(x),
        GaussianMixture(k, n_init=3, reg_covar=width, random_state=seed).fit_predict(components),
        *(spectral_partition(graph, k, 0.5, 0) for graph in graphs),
        AgglomerativeClustering(k).fit_predict(x),
        GaussianMixture(k, covariance_type="diag", random_state=seed).fit_predict(components),
    ]
    return [clusters.astype(np.int64) for clusters in found]


def compare(x: NDArray[np.float32], labels: Labels, k: int, seed: int) -> dict[str, Any]:
    """Return the NMI of each partition, and of what each rule chooses among them."""
    pool = partitions(x, k, seed)
    nmi = [float(normalized_mutual_info_score(labels, clusters)) for clusters in pool]
    ranking = rank_candidates(x, pool, [k] * len(pool), seed)
    columns = {
        name: np.array([getattr(criteria, name) for criteria in ranking.criteria])
        for name in ("share", "information", "agreement")
    }
    columns["former"] = columns["information"] / columns["information"].max() + 0.25 * columns["agreement"]
    chosen = {name: nmi[int(values.argmax())] for name, values in columns.items()}
    return {"nmi": nmi, "chosen": {"rule": nmi[ranking.chosen], **chosen}}


def write_table(check: bool) -> int:
    """Write the table between the marks of docs/auto.md; with `check`, return 1 where it differs."""
    runs = recorded(LINES)
    rows = [("data", *RULES.values())]
    for data in [*dict.fromkeys(run["data"] for run in runs), None]:
        own = [run for run in runs if data in (None, run["data"])]
        regrets = {name: [max(run["nmi"]) - run["chosen"][name] for run in own] for name in RULES}
        rows.append((data or "mean", *(f"{statistics.mean(regrets[name]):.3f}" for name in RULES)))
    rows.append(("largest", *(f"{max(max(run['nmi']) - run['chosen'][name] for run in runs):.3f}" for name in RULES)))
    return write_tables(PAGE, "rules", {"table": as_markdown(rows)}, check)


if __name__ == "__main__":
    sys.exit(main())
