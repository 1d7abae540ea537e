"""Distortions whose amounts are found on a run's own images: as far as they keep their neighbors, without labels."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from deepcluster_pl.data.augmentation import Affine, Degrees, Slant
from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.data.tolerated_distortions import Tolerated, tolerated
from deepcluster_pl.data.upright_choice import edge_components, spread
from deepcluster_pl.functional.communities import community_partitions, modularities, neighbor_graph
from deepcluster_pl.utils.image_layout import image_layout, is_image, to_planes
from deepcluster_pl.utils.ranges import NonNegativeInt, OpenShare, Share

LEAST_IMAGES = 200
"""Fewer different images have no communities that tell much, and are not distorted."""
_MOST_IMAGES, _MOST_VALUES = 2000, 50_000_000
_NEIGHBORS, _MOST_GROUPS, _TREES = 15, 20, 4


class AutoAffine:
    """Random distortions of images as `Affine` has them, as far as the fitted images tolerate them.

    An amount that is "auto" becomes the largest with which nearly as many distorted images as clean ones have a nearest
    neighbor from their own group, see `tolerated`. The groups are communities of the images' neighbors, as many as have
    the largest modularity. No label is read. Nothing depends on a seed, so all runs on the same images take the same
    amounts.

    Args:
        shift, rotation, shear, zoom: as of `Affine`, or "auto".
        flip: whether every other image, at random, is mirrored, or "auto".
        fill: content of pixels from outside the image, see `Affine`.
        seed: seed of the draws during training.
    """

    def __init__(
        self,
        shift: Share | Literal["auto"],
        rotation: Degrees | Literal["auto"],
        shear: Slant | Literal["auto"],
        zoom: OpenShare | Literal["auto"],
        flip: bool | Literal["auto"],
        fill: Literal["nearest", "zeros", "background"],
        seed: NonNegativeInt,
    ) -> None:
        amounts = {"shift": shift, "rotation": rotation, "shear": shear, "zoom": zoom, "flip": flip}
        self.typed = {name: amount for name, amount in amounts.items() if not isinstance(amount, str)}
        self.fill = fill
        self.seed = seed

    def find(self, data: ClusteringData) -> Tolerated:
        """Find the amounts that are not typed.

        Args:
            data: samples, set up; at most 2,000 fitted ones, spread evenly, are distorted.

        Returns:
            The distortions. Samples that are no images, fewer than 200 different ones, or images without groups
            tolerate none.
        """
        part, shape = data.part("fit"), data.input_shape
        if not is_image(shape):
            sides = "x".join(map(str, shape))
            return self._only_typed(f"samples of {sides} are no images (height x width, 4 pixels a side at least)")
        most = max(LEAST_IMAGES, min(_MOST_IMAGES, _MOST_VALUES // data.n_features))
        rows = spread(len(part), most)
        samples = part.take(rows)
        if (n := len({sample.tobytes() for sample in samples})) < LEAST_IMAGES:
            return self._only_typed(
                f"{n} different images are fewer than {LEAST_IMAGES}; augment=affine has fixed ones"
            )
        images = as_floats(samples)
        groups = clear_groups(images)
        if groups is None:
            return self._only_typed("the images form no groups; augment=affine has fixed ones")
        return tolerated(images, groups, Affine(0.0, 0.0, 0.0, 0.0, self.fill, seed=0), self.typed)

    def _only_typed(self, reason: str) -> Tolerated:
        """Return the amounts that were typed, and none of the others."""
        return Tolerated(**self.typed, reason=reason)  # type: ignore[arg-type]


def as_floats(samples: np.ndarray) -> Tensor:
    """Return raw samples as floating point numbers, bytes from 0 to 1."""
    x = torch.from_numpy(samples)
    return x.float() / 255 if x.dtype == torch.uint8 else x.float()


def clear_groups(images: Tensor) -> Tensor | None:
    """Find the communities with the largest modularity, of 2 to 20, among images with like edges.

    Args:
        images: floating point images (N, H, W), (N, H, W, 1|3) or (N, 1|3, H, W).

    Returns:
        Group (N,) of each; None where there are no two.
    """
    layout = image_layout(tuple(images.shape[1:]))
    assert layout is not None
    points = edge_components(to_planes(images, layout))
    graph = neighbor_graph(points, _NEIGHBORS)
    found = community_partitions(points, _MOST_GROUPS, _NEIGHBORS, _TREES, np.random.default_rng(0), graph)
    if not found:
        return None
    values = modularities(graph, found)
    return torch.from_numpy(found[max(values, key=lambda k: values[k])])
