"""Draw samples that are images: the central members of each cluster, and reconstructions by an autoencoder."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.evaluation.predictions import Prediction
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.reporting.representatives import central_members
from deepcluster_pl.utils.image_layout import as_picture, channels_last

_MOST_CLUSTERS = 40


def draw_central_members(data: ClusteringData, prediction: Prediction, n_clusters: int, columns: int = 12) -> Figure:
    """Draw one row for each cluster: the fitted samples nearest to the mean of its embeddings, nearest first.

    Args:
        data: source of the images.
        prediction: of the fitted part.
        n_clusters: K; at most 40 are drawn.
        columns: samples in a row.
    """
    n_rows = min(n_clusters, _MOST_CLUSTERS)
    figure = Figure(figsize=(columns * 0.5 + 1.2, n_rows * 0.5), dpi=120, layout="constrained")
    axes = figure.subplots(n_rows, columns + 1, squeeze=False, width_ratios=[2.4, *[1] * columns])
    for cluster, (title, *row) in enumerate(axes):
        members = central_members(prediction, cluster)
        title.text(0, 0.5, f"{cluster}: {len(members)} samples", va="center", fontsize=7)
        if len(members):
            for axis, image in zip(row, data.part("fit").take(members[:columns]), strict=False):
                axis.imshow(as_picture(image), cmap="gray_r" if image.ndim == 2 else None)
        for axis in (title, *row):
            axis.set_axis_off()
    return figure


@torch.no_grad()
def draw_reconstructions(data: ClusteringData, net: Autoencoder, most: int = 20) -> Figure:
    """Draw samples above their reconstructions, both as prepared for the net.

    Args:
        data: held-out samples are drawn, or fitted ones where none are held out.
        net: encodes and decodes them.
        most: the largest number of samples, in two double rows.
    """
    part = data.part("holdout" if "holdout" in data.parts else "fit")
    rows = np.linspace(0, len(part) - 1, min(most, len(part))).astype(int)
    x = net.prepare(torch.as_tensor(part.take(rows), device=net.shift.device))
    was_training = net.training
    net.eval()
    pair = [images.float().cpu().numpy() for images in (x, net.decode(net.encode(x)))]
    net.train(was_training)
    # One gray scale for all, so that samples and reconstructions can be compared
    low, high = float(pair[0].min()), float(pair[0].max())
    columns = -(-len(rows) // 2)
    figure = Figure(figsize=(columns * 0.5, 2.2), dpi=120, layout="constrained")
    axes = figure.subplots(4, columns, squeeze=False)
    for axis in axes.ravel():
        axis.set_axis_off()
    for i in range(len(rows)):
        for j, images in enumerate(pair):
            picture = channels_last(np.clip((images[i] - low) / (high - low or 1.0), 0, 1))
            cmap = "gray_r" if picture.ndim == 2 else None
            axes[2 * (i // columns) + j, i % columns].imshow(picture, cmap=cmap, vmin=0, vmax=1)
    return figure
