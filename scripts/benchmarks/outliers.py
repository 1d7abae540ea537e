"""Measure outliers=auto: the share flagged on data without noise, precision and recall on data with noise.

    python -m scripts.benchmarks.outliers                              a Markdown table over seeds 0, 1, 2
    python -m scripts.benchmarks.outliers --root data                  with 2,000 images of MNIST and Fashion-MNIST
    python -m scripts.benchmarks.outliers --seeds 3,4 --only noisy     other seeds, and only sets with that in the name

The partition is that of k-means, so groups need not be right. Noise is 5 % of the samples: uniform in the box around
the groups, or random directions for embeddings. Labels only score.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.cluster import KMeans

from deepcluster_pl.data.samples import Table
from deepcluster_pl.data.sources.tabular import ArrayData
from deepcluster_pl.data.split import Subset
from deepcluster_pl.evaluation.outliers import find_outliers
from scripts.benchmarks.density import samples
from scripts.benchmarks.embeddings import embeddings

Set = tuple[str, NDArray[np.floating], NDArray[np.bool_], int, str]
"""Name, samples, whether each is noise, number of groups, scaling."""


def main() -> None:
    """Print a row for each data set."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--only", default="")
    parser.add_argument("--root", type=Path, help="folder of MNIST/ and FashionMNIST/")
    chosen = parser.parse_args()
    found: dict[str, list[tuple[float, float, float]]] = {}
    for seed in map(int, chosen.seeds.split(",")):
        for name, x, is_noise, k, scale in sets(seed, chosen.root):
            if chosen.only in name:
                found.setdefault(name, []).append(measured(x, is_noise, k, scale, seed))
    print("| data | flagged | precision | recall |\n|---|---|---|---|")
    for name, rows in found.items():
        flagged, precision, recall = np.mean(rows, axis=0)
        scores = ("", "") if np.isnan(recall) else (f"{precision:.2f}", f"{recall:.2f}")
        print(f"| {name} | {flagged:.1%} | {scores[0]} | {scores[1]} |")


def measured(
    x: NDArray[np.floating], is_noise: NDArray[np.bool_], k: int, scale: str, seed: int
) -> tuple[float, float, float]:
    """Return the share that is flagged, its precision, and its recall; NaN without noise."""
    options = {"name": "x", "holdout": 0.0, "split": "random", "seed": seed, "num_workers": 0, "residency": "auto"}
    data = ArrayData(None, None, None, None, subset=Subset(None, False, 0), scale=scale, **options)  # type: ignore[arg-type]
    data.take_over(Table(x, range(len(x))))
    data.setup()
    clusters = KMeans(k, n_init=3, random_state=seed).fit_predict(data.prepared("fit")).astype(np.int64)
    flagged = find_outliers(data, {"fit": clusters}, k, "auto", seed).flagged["fit"]
    if not is_noise.any():
        return float(flagged.mean()), np.nan, np.nan
    return float(flagged.mean()), float(is_noise[flagged].mean()), float(flagged[is_noise].mean())


def sets(seed: int, root: Path | None) -> Iterator[Set]:
    """Yield all data sets, those without noise first."""
    for name, k in (("digits", 10), ("wine", 3), ("iris", 3), ("breast_cancer", 2), ("uneven", 3), ("moons", 2)):
        x, _ = samples(name, seed)
        yield name, x, np.zeros(len(x), dtype=bool), k, "none"
    for name in ("MNIST", "FashionMNIST") if root else ():
        from torchvision import datasets as images

        x = getattr(images, name)(str(root), train=True).data.numpy()
        rows = np.random.default_rng(seed).choice(len(x), 2000, replace=False)
        yield f"{name}, 2,000 images", x[rows].reshape(2000, -1) / 255, np.zeros(2000, dtype=bool), 10, "none"
    for width in (2, 6, 10):
        x, _ = datasets.make_blobs(1000, n_features=width, centers=5, random_state=seed)
        yield f"blobs, {width} columns", x, np.zeros(1000, dtype=bool), 5, "standard"
        noise = np.random.default_rng(seed).uniform(x.min(axis=0), x.max(axis=0), size=(50, width))
        yield f"noisy blobs, {width} columns", np.concatenate([x, noise]), np.arange(1050) >= 1000, 5, "standard"
    x, _ = datasets.make_moons(1000, noise=0.06, random_state=seed)
    noise = np.random.default_rng(seed).uniform(x.min(axis=0) - 0.5, x.max(axis=0) + 0.5, size=(50, 2))
    yield "noisy moons", np.concatenate([x, noise]), np.arange(1050) >= 1000, 2, "standard"
    x, groups = embeddings(5000, 384, 20, 0.05, seed)
    yield "noisy embeddings, 5,000 x 384", x.astype(np.float32), groups < 0, 20, "none"


if __name__ == "__main__":
    main()
