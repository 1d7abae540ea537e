"""Draw a map of the embeddings, colored by cluster."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from deepcluster_pl.evaluation.predictions import Prediction
from deepcluster_pl.evaluation.projection import Map
from deepcluster_pl.reporting.palette import OUTSIDE, palette

_MOST_POINTS = 10_000


def draw_embedding_map(places: NDArray[np.float32], prediction: Prediction, n_clusters: int, kind: Map) -> Figure:
    """Draw samples as points in the color of their cluster, and each cluster's number in the middle of its points.

    Args:
        places: point (N, 2) of every sample on the map; at most 10,000 random ones are drawn.
        prediction: of the same samples.
        n_clusters: K.
        kind: of map; names the axes.
    """
    figure = Figure(figsize=(6, 6), dpi=120, layout="constrained")
    draw_map(figure.subplots(), places, prediction.clusters.numpy(), n_clusters, kind)
    return figure


def draw_map(axes: Axes, places: NDArray[np.float32], clusters: NDArray[np.int64], n_clusters: int, kind: Map) -> None:
    """Draw the same into given axes.

    Args:
        axes: of matplotlib.
        places: point (N, 2) of every sample on the map.
        clusters: cluster (N,) of every sample; those of cluster -1 are gray.
        n_clusters: K.
        kind: of map; names the axes.
    """
    rows = np.random.default_rng(0).permutation(len(places))[:_MOST_POINTS]
    colors = np.array([*palette(n_clusters), OUTSIDE])
    axes.scatter(places[rows, 0], places[rows, 1], c=colors[clusters[rows]], s=4, lw=0)
    for cluster in range(n_clusters):
        if (clusters == cluster).any():
            middle = places[clusters == cluster].mean(axis=0)
            axes.annotate(str(cluster), middle, ha="center", va="center", bbox={"boxstyle": "round", "fc": "white"})
    first, second = ("first principal component", "second principal component") if kind == "pca" else ("UMAP", "")
    axes.set(xlabel=first, ylabel=second, title="Embeddings, by cluster")
