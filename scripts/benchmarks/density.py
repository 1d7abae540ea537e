"""Try HDBSCAN for a stated number of groups on the development sets of method=auto: one JSON line a data set.

    python -m scripts.benchmarks.density                    all sets, seeds 0, 1, 2
    python -m scripts.benchmarks.density --data moons

The smallest cluster grows until exactly the stated number of clusters is there. Samples that HDBSCAN leaves out get the
cluster of the nearest one that has a cluster. Agreement is measured on samples that belong to a group.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.cluster import HDBSCAN
from sklearn.decomposition import PCA
from sklearn.metrics import normalized_mutual_info_score
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from scripts.benchmarks.auto import made_up
from scripts.benchmarks.embeddings import embeddings

DATA = ("digits", "wine", "breast_cancer", "iris", "uneven", "moons", "noisy_blobs", "embeddings")
SIZES = (5, 8, 12, 18, 27, 40, 60, 90, 135)


def main() -> None:
    """Print one line for each data set."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", default=",".join(DATA))
    parser.add_argument("--seeds", default="0,1,2")
    chosen = parser.parse_args()
    for name in chosen.data.split(","):
        tried = [one_try(name, int(seed)) for seed in chosen.seeds.split(",")]
        print(json.dumps({"data": name, **{key: [one[key] for one in tried] for key in tried[0]}}), flush=True)


def one_try(name: str, seed: int) -> dict[str, Any]:
    """Return NMI, or None where no smallest cluster gives the number, the share left out, and processor seconds."""
    x, groups = samples(name, seed)
    began, k = time.process_time(), len(np.unique(groups[groups >= 0]))
    z = PCA(50, random_state=seed).fit_transform(x) if min(x.shape) > 50 else x
    numbers = {}
    for size in SIZES:
        if size > len(z) // k:
            break
        clusters = HDBSCAN(min_cluster_size=size, copy=True).fit_predict(z)
        numbers[size] = int(clusters.max()) + 1
        if numbers[size] == k:
            break
    seconds = round(time.process_time() - began, 2)
    if k not in numbers.values():
        return {"nmi": None, "left_out": None, "groups": sorted(set(numbers.values())), "seconds": seconds}
    known = groups >= 0
    found = normalized_mutual_info_score(groups[known], with_nearest(z, clusters)[known])
    left_out = round(float((clusters < 0).mean()), 3)
    return {"nmi": round(float(found), 3), "left_out": left_out, "groups": k, "seconds": seconds}


def with_nearest(z: NDArray[np.floating], clusters: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return clusters (N,) in which samples without one have that of the nearest sample with one."""
    has = clusters >= 0
    near = NearestNeighbors(n_neighbors=1).fit(z[has]).kneighbors(z, return_distance=False)[:, 0]
    return np.where(has, clusters, clusters[has][near])


def samples(name: str, seed: int) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """Return samples (N, F), scaled as a run scales them, and the group (N,) of each; -1 is none."""
    if name == "embeddings":
        x, groups = embeddings(5000, 384, 20, 0.05, seed)
        return x.astype(np.float32), groups
    if name == "digits":
        digits = datasets.load_digits()
        return digits.data, digits.target
    if name == "noisy_blobs":
        x, groups = datasets.make_blobs(1000, n_features=6, centers=5, random_state=seed)
        noise = np.random.default_rng(seed).uniform(x.min(axis=0), x.max(axis=0), size=(50, 6))
        x, groups = np.concatenate([x, noise]), np.concatenate([groups, np.full(50, -1)])
    elif name in ("moons", "uneven"):
        with tempfile.TemporaryDirectory() as scratch:
            path = made_up(name, seed, Path(scratch))
            assert path is not None
            with np.load(path) as file:
                x, groups = file["x"], file["y"]
    else:
        x, groups = getattr(datasets, f"load_{name}")(return_X_y=True)
    return StandardScaler().fit_transform(x), groups


if __name__ == "__main__":
    main()
