"""Draw samples that are images: the central members of each cluster, and reconstructions by an autoencoder."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.evaluation.predictions import Prediction
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.reporting.figures.sheet import CELL, Sheet
from deepcluster_pl.reporting.representatives import central_members
from deepcluster_pl.utils.image_layout import as_picture, channels_last

_MOST_CLUSTERS = 40
_TITLE, _GAP = 1.2, 0.1
"""Inches of the column of titles, and between two double rows."""


def draw_central_members(data: ClusteringData, prediction: Prediction, n_clusters: int, columns: int = 12) -> Figure:
    """Draw one row for each cluster: the fitted samples nearest to the mean of its embeddings, nearest first.

    Args:
        data: source of the images.
        prediction: of the fitted part.
        n_clusters: K; at most 40 are drawn.
        columns: samples in a row.
    """
    n_rows = min(n_clusters, _MOST_CLUSTERS)
    sheet = Sheet(columns * CELL + _TITLE, n_rows * CELL)
    for cluster in range(n_rows):
        members = central_members(prediction, cluster)
        sheet.write(f"{cluster}: {len(members)} samples", 0.04, (cluster + 0.5) * CELL)
        if len(members):
            for column, image in enumerate(data.part("fit").take(members[:columns])):
                sheet.place(as_picture(image), _TITLE + column * CELL, cluster * CELL)
    return sheet.figure


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
    sheet = Sheet(columns * CELL, 4 * CELL + _GAP)
    for i in range(len(rows)):
        double_row, column = divmod(i, columns)
        for j, images in enumerate(pair):
            picture = channels_last(np.clip((images[i] - low) / (high - low or 1.0), 0, 1))
            sheet.place(picture, column * CELL, (2 * double_row + j) * CELL + double_row * _GAP, (0.0, 1.0))
    return sheet.figure
