"""Features by whose neighbors partitions are judged without labels: the prepared input, of images their edges too."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.data.upright_choice import clearness
from deepcluster_pl.functional.gradient_histograms import gradient_histograms
from deepcluster_pl.functional.upright import upright
from deepcluster_pl.utils.image_layout import image_layout, is_image, to_planes

_CELLS, _DIRECTIONS = 4, 8
_IMAGES_AT_ONCE = 1000


def judged_features(data: ClusteringData, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the features of some fitted samples in which neighbors are of the same kind most often.

    For images, pixels and histograms of gradient directions stand side by side, each with a total variance of 1.
    Neighbors by pixels alone are what methods on pixels have their clusters from, so they would always prefer those.
    Images are set upright first where groups get clearer by that (see `clearness`).

    Args:
        data: the data, set up.
        rows: row numbers (M,) of fitted samples.

    Returns:
        Features (M, F): the prepared input of anything but images.
    """
    x = data.prepared("fit", rows)
    layout = image_layout(data.input_shape)
    if layout is None or not is_image(data.input_shape):
        return x
    planes = to_planes(torch.from_numpy(x).reshape(len(x), *data.input_shape), layout).float()
    # Set upright where that makes groups clearer, as net=gradients does
    found = clearness(data, layout)
    if found is not None and found.is_won:
        planes = torch.cat([upright(some) for some in torch.split(planes, _IMAGES_AT_ONCE)])
    return _blocks(planes)


def _blocks(planes: Tensor) -> NDArray[np.float32]:
    """Return pixels beside histograms of gradient directions (M, F) of images (M, C, H, W)."""
    edges = [gradient_histograms(some, _CELLS, _DIRECTIONS).numpy() for some in torch.split(planes, _IMAGES_AT_ONCE)]
    blocks = [planes.flatten(1).numpy(), np.concatenate(edges)]
    return np.concatenate([_of_unit_variance(block) for block in blocks], axis=1)


def _of_unit_variance(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return features with a total variance of 1; constant ones as they are."""
    total = float(np.sqrt(block.var(axis=0, dtype=np.float64).sum()))
    return block / np.float32(total) if total > 0 else block
