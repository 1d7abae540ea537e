"""What the centers of clusters look like, where a decoder was trained with them."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.utils.image_layout import as_picture

_MOST, _COLUMNS = 60, 10


@torch.no_grad()
def decoded_centers(method: ClusteringModule) -> NDArray[np.float32] | None:
    """What the centers decode to, (K, *input_shape), bytes as 0 … 1; None where no decoder was trained with them."""
    net = method.net
    trained = [parameter for parameter in net.decoder.parameters() if parameter.requires_grad]
    if not method.has_centers or not trained or method.centers.shape[1] != net.latent_dim:
        return None
    was_training = net.training
    net.eval()
    decoded = net.decode(method.centers.to(net.shift)) / net.factor + net.shift
    net.train(was_training)
    return np.asarray(decoded.float().cpu().numpy())


def center_pictures(centers: NDArray[np.float32]) -> Figure:
    """Decoded centers (K, *image shape) side by side, each with the number of its cluster; at most 60 of them."""
    shown = centers[:_MOST]
    columns = min(_COLUMNS, len(shown))
    lines = -(-len(shown) // columns)
    figure = Figure(figsize=(columns * 0.6, lines * 0.75), dpi=120, layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False).ravel()
    for axis in axes:
        axis.set_axis_off()
    for k, (axis, center) in enumerate(zip(axes, shown, strict=False)):
        picture = as_picture(np.nan_to_num(np.clip(center, 0, 1)))
        axis.imshow(picture, cmap="gray_r" if picture.ndim == 2 else None)
        axis.set_title(str(k), fontsize=7)
    return figure
