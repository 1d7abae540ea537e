"""Decode and draw the centers of clusters, where a decoder was trained with them."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.reporting.figures.sheet import CELL, Sheet
from deepcluster_pl.utils.image_layout import as_picture

_MOST, _COLUMNS = 60, 10
_TITLE = 0.18
"""Inches of the number above a center."""


@torch.no_grad()
def decode_centers(method: ClusteringModule) -> NDArray[np.float32] | None:
    """Return the decoded centers (K, *input_shape), bytes as 0 to 1; None where no decoder was trained with them."""
    net = method.net
    trained = [parameter for parameter in net.decoder.parameters() if parameter.requires_grad]
    if not method.has_centers or not trained or method.centers.shape[1] != net.latent_dim:
        return None
    was_training = net.training
    net.eval()
    # Undo the scaling of prepared samples
    decoded = net.decode(method.centers.to(net.shift)) / net.factor + net.shift
    net.train(was_training)
    return np.asarray(decoded.float().cpu().numpy())


def draw_centers(centers: NDArray[np.float32]) -> Figure:
    """Draw decoded centers (K, *image shape) side by side, at most 60, each with the number of its cluster."""
    shown = centers[:_MOST]
    columns = min(_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    sheet = Sheet(columns * CELL, rows * (_TITLE + CELL))
    for k, center in enumerate(shown):
        row, column = divmod(k, columns)
        left, top = column * CELL, row * (_TITLE + CELL)
        sheet.write(str(k), left + CELL / 2, top + 0.6 * _TITLE, ha="center")
        sheet.place(as_picture(np.nan_to_num(np.clip(center, 0, 1))), left, top + _TITLE)
    return sheet.figure
