"""A map of the embeddings, colored by cluster."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from deepcluster_pl.evaluation.predictions import Prediction
from deepcluster_pl.evaluation.projection import Map

_MAP_POINTS = 10_000


def embedding_map(places: NDArray[np.float32], prediction: Prediction, n_clusters: int, kind: Map) -> Figure:
    """Scatter of places (N, 2) on a kind of map, one color a cluster."""
    figure = Figure(figsize=(6, 6), dpi=120, layout="constrained")
    axes = figure.subplots()
    rows = np.random.default_rng(0).permutation(len(places))[:_MAP_POINTS]
    clusters = prediction.clusters.numpy()
    palette = "tab10" if n_clusters <= 10 else "tab20" if n_clusters <= 20 else "turbo"
    axes.scatter(
        places[rows, 0],
        places[rows, 1],
        c=clusters[rows],
        cmap=palette,
        vmin=-0.5,
        vmax=max(n_clusters, 10) - 0.5,
        s=4,
        lw=0,
    )
    for cluster in range(n_clusters):
        if (clusters == cluster).any():
            middle = places[clusters == cluster].mean(axis=0)
            axes.annotate(str(cluster), middle, ha="center", va="center", bbox={"boxstyle": "round", "fc": "white"})
    first, second = ("first principal component", "second") if kind == "pca" else ("UMAP", "")
    axes.set(xlabel=first, ylabel=second, title="Embeddings, by cluster")
    return figure
