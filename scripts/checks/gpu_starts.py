"""Seconds and quality of what a run computes before and after training, on the GPU and with scikit-learn on the CPU."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from deepcluster_pl.functional.accelerated import counterpart
from deepcluster_pl.functional.communities import community_partitions, modularities, neighbor_graph
from deepcluster_pl.functional.work_device import work_on


def time_starts(root: Path, accelerator: str, short: bool) -> dict[str, dict[str, float]]:
    """Compare k-means on pixels, a mixture on components, and communities of the graph of neighbors.

    Args:
        root: folder with MNIST/raw.
        accelerator: gpu, or cpu to test the check itself.
        short: a few hundred digits and restarts.

    Returns:
        By method: `gpu_s` and `cpu_s`, and the criterion on both: inertia, mean log-likelihood, or modularity.
    """
    device = torch.device("cuda" if accelerator == "gpu" else "cpu")
    rows, restarts = (300, 2) if short else (70_000, 20)
    x = _pixels(root, rows)
    z = np.ascontiguousarray(PCA(10, random_state=0).fit_transform(x), dtype=np.float32)
    points = np.ascontiguousarray(PCA(50, random_state=0).fit_transform(x), dtype=np.float32)

    def kmeans(fast: bool) -> float:
        plain = KMeans(10, n_init=restarts, random_state=0)
        return float((counterpart(plain) if fast else plain).fit(x).inertia_)

    def mixture(fast: bool) -> float:
        plain = GaussianMixture(10, n_init=3, max_iter=200, random_state=0)
        return float((counterpart(plain) if fast else plain).fit(z.astype(np.float64)).lower_bound_)

    def communities(_: bool) -> float:
        graph = neighbor_graph(points, 10)
        found = community_partitions(points, 10, 10, 2, np.random.default_rng(0), graph)
        return modularities(graph, found)[10]

    lines = {}
    for name, method in (("kmeans", kmeans), ("mixture", mixture), ("communities", communities)):
        with work_on(device):
            method(True)  # the first call loads the libraries of the device
            gpu_s, on_gpu = _timed(method, True)
        cpu_s, on_cpu = _timed(method, False)
        lines[name] = {"gpu_s": gpu_s, "cpu_s": cpu_s, "gpu": on_gpu, "cpu": on_cpu}
    return lines


def _timed(method: Callable[[bool], float], fast: bool) -> tuple[float, float]:
    """Return the seconds of a method, and its criterion."""
    began = time.monotonic()
    value = method(fast)
    return round(time.monotonic() - began, 3), value


def _pixels(root: Path, rows: int) -> Any:
    """Return so many digits (N, 784), from 0 to 1."""
    raw = root / "MNIST" / "raw"
    parts = [np.fromfile(raw / f"{name}-images-idx3-ubyte", np.uint8, offset=16) for name in ("train", "t10k")]
    return np.concatenate(parts).reshape(-1, 784)[:rows].astype(np.float32) / 255
