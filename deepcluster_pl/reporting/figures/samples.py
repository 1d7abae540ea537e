"""Samples that are images: the most central members of every cluster, and how an autoencoder renders some."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure

from deepcluster_pl.data.datamodule import ClusteringData
from deepcluster_pl.evaluation.predictions import Prediction
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.image_layout import as_picture, channels_last


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


@torch.no_grad()
def reconstructions(data: ClusteringData, net: Autoencoder, shown: int = 20) -> Figure:
    """Samples above what the net's decoder makes of their codes, both as prepared; held-out ones if there are any."""
    part = data.part("holdout" if "holdout" in data.parts else "fit")
    rows = np.linspace(0, len(part) - 1, min(shown, len(part))).astype(int)
    x = net.prepare(torch.as_tensor(part.take(rows), device=net.shift.device))
    was_training = net.training
    net.eval()
    pair = [images.float().cpu().numpy() for images in (x, net.decode(net.encode(x)))]
    net.train(was_training)
    low, high = float(pair[0].min()), float(pair[0].max())
    columns = -(-len(rows) // 2)
    figure = Figure(figsize=(columns * 0.5, 2.2), dpi=120, layout="constrained")
    axes = figure.subplots(4, columns, squeeze=False)
    for axis in axes.ravel():
        axis.set_axis_off()
    for i in range(len(rows)):
        for j, images in enumerate(pair):
            picture = channels_last(np.clip((images[i] - low) / (high - low or 1.0), 0, 1))
            axes[2 * (i // columns) + j, i % columns].imshow(
                picture, cmap="gray_r" if picture.ndim == 2 else None, vmin=0, vmax=1
            )
    return figure
