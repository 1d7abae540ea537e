"""Pictures of a run: a map of the embeddings, and the most central members of every cluster."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.prediction import Prediction, Predictions

_MAP_POINTS = 10_000


def save_figures(
    folder: Path, data: ClusteringData, predictions: Predictions, places: NDArray[np.float32], n_clusters: int
) -> None:
    """Write figures/map.png of the fitted part, at `places` (N, 2), and, for images, figures/members.png."""
    folder = folder / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    embedding_map(places, predictions["fit"], n_clusters).savefig(folder / "map.png")
    if is_image(data.input_shape):
        central_members(data, predictions["fit"], n_clusters).savefig(folder / "members.png")


def embedding_map(places: NDArray[np.float32], prediction: Prediction, n_clusters: int) -> Figure:
    """Scatter of two principal components (N, 2), one colour a cluster."""
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
    axes.set(xlabel="first principal component", ylabel="second", title="Embeddings, by cluster")
    return figure


def central_members(data: ClusteringData, prediction: Prediction, n_clusters: int, columns: int = 12) -> Figure:
    """One row a cluster: the samples nearest to the mean of its embeddings, nearest first."""
    shown = min(n_clusters, 40)
    figure = Figure(figsize=(columns * 0.5 + 1.2, shown * 0.5), dpi=120, layout="constrained")
    axes = figure.subplots(shown, columns + 1, squeeze=False, width_ratios=[2.4, *[1] * columns])
    z, clusters = prediction.z.numpy(), prediction.clusters.numpy()
    for cluster, (title, *row) in enumerate(axes):
        members = np.flatnonzero(clusters == cluster)
        title.text(0, 0.5, f"{cluster}: {len(members)} samples", va="center", fontsize=7)
        if len(members):
            distances = np.linalg.norm(z[members] - z[members].mean(axis=0), axis=1)
            nearest = members[np.argsort(distances, kind="stable")[:columns]]
            for axis, image in zip(row, data.part("fit").take(nearest), strict=False):
                axis.imshow(as_picture(image), cmap="gray_r" if image.ndim == 2 else None)
        for axis in (title, *row):
            axis.set_axis_off()
    return figure


def is_image(shape: tuple[int, ...]) -> bool:
    """Whether samples look like pictures: (H, W), (H, W, 1|3) or (1|3, H, W), both sides at least 4."""
    if len(shape) == 2:
        return min(shape) >= 4
    if len(shape) != 3:
        return False
    return (shape[-1] in (1, 3) and min(shape[:2]) >= 4) or (shape[0] in (1, 3) and min(shape[1:]) >= 4)


def as_picture(image: NDArray[np.generic]) -> NDArray[np.generic]:
    """Channels last, a single channel dropped, colours in 0 … 1."""
    if image.ndim == 2:
        return image
    last = image if image.shape[-1] in (1, 3) else np.moveaxis(image, 0, -1)
    if last.shape[-1] == 1:
        return last[..., 0]
    if last.dtype == np.uint8:
        return last
    low, high = float(last.min()), float(last.max())
    return np.asarray((last.astype(np.float32) - low) / (high - low or 1.0))
