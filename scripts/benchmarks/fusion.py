"""Measure what combining partitions of one graph does to communities of images: a JSON line a data set and seed.

    python -m scripts.benchmarks.fusion --root data                            digits, MNIST-10k and Fashion-10k, seed 0
    python -m scripts.benchmarks.fusion --data mnist --seeds 0 1 --root data   70,000 digits, some minutes

The graph is that of `method=gradients`: nearest neighbors by edges, bent where the method bends them. A line has the
modularity, the scores and the CPU seconds of the best tree out of eight, and of what eight trees with more first
clusters are combined to. No partition reads a label. `--root` is the folder of MNIST/ and FashionMNIST/.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.instantiate import instantiate_node
from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.evaluation.metrics import label_scores
from deepcluster_pl.functional.communities import community_partitions, modularities
from deepcluster_pl.functional.neighbors import CANDIDATES, nearest_neighbors
from deepcluster_pl.functional.spectral_partition import symmetric_graph
from deepcluster_pl.nets.embedding import embed_part
from scripts.benchmarks.auto import DATA

K, LARGEST, TREES, NEIGHBORS = 10, 20, 8, 10


def main() -> None:
    """Print one line for each data set and seed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", default="digits,mnist_10k,fashion_10k")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--root", default="data")
    chosen = parser.parse_args()
    for name in chosen.data.split(","):
        typed = [*DATA.get(name, [f"data={name}"]), *([] if name == "digits" else [f"data.root={chosen.root}"])]
        points, neighbors, labels = graph_of(typed)
        for seed in chosen.seeds:
            print(json.dumps({"data": name, "seed": seed, **one_graph(points, neighbors, labels, seed)}), flush=True)


def graph_of(typed: list[str]) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Return embeddings (N, D) by edges, the neighbors (N, n) of each image, and labels (N,)."""
    cfg = compose_checked(["method=gradients", *typed]).cfg
    assert cfg is not None
    data: ClusteringData = instantiate_node(cfg.data)
    data.setup()
    net = instantiate_node(cfg.net, input_shape=data.input_shape)
    net.measure(data)
    z = embed_part(net, data, "fit").float()
    order = net.neighbor_order(data)
    neighbors = nearest_neighbors(z, CANDIDATES).numpy().astype(np.int64)
    if order is not None:
        neighbors = order(np.arange(len(z)), neighbors)
    return z.numpy(), neighbors[:, :NEIGHBORS], np.asarray(data.part("fit").labels)


def one_graph(
    points: NDArray[np.float32], neighbors: NDArray[np.int64], labels: NDArray[np.int64], seed: int
) -> dict[str, Any]:
    """Return modularity, scores and CPU seconds of both ways.

    Args:
        points: embeddings (N, D).
        neighbors: row numbers (N, n) of each one's neighbors.
        labels: label (N,) of each, for the scores alone.
        seed: decides the trees.
    """
    graph = sparse.csr_matrix(symmetric_graph(neighbors).astype(np.float32))
    line: dict[str, Any] = {}
    for way, only in (("best_tree", None), ("combined", K)):
        began = time.process_time()
        draw = np.random.default_rng(seed)
        found = community_partitions(points, LARGEST, NEIGHBORS, TREES, draw, graph, only)[K]
        spent, scores = time.process_time() - began, label_scores(labels, found)
        line[way] = {
            "modularity": round(modularities(graph, {K: found})[K], 5),
            "acc": round(scores["acc"] or 0.0, 4),
            "nmi": round(scores["nmi"] or 0.0, 4),
            "cpu_seconds": round(spent, 1),
        }
    return line


if __name__ == "__main__":
    main()
