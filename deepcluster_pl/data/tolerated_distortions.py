"""Find without labels which distortions images tolerate: digits may be turned a little, and never mirrored."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.functional.gradient_histograms import gradient_histograms
from deepcluster_pl.functional.kept_neighbors import kept_share
from deepcluster_pl.utils.image_layout import image_layout, to_planes

_AMOUNTS = {
    "shift": (0.04, 0.08, 0.12),
    "rotation": (5.0, 10.0, 20.0),
    "shear": (6.0, 15.0),
    "zoom": (0.06, 0.12, 0.25),
}
"""Amounts that are tried of each distortion, in its own unit."""
_TOLERATED = 0.95
"""Share of neighbors kept, beside that of samples as they are, above which an amount is used."""
_MIRRORED = 0.75
"""The same for mirror images: they are another view, far from the image itself, and fewer of any kind stay."""
_CELLS, _DIRECTIONS, _COMPONENTS = 4, 8, 50


@dataclass
class Tolerated:
    """Distortions that keep the neighbors of samples of their kind.

    Attributes:
        shift, rotation, shear, zoom: the largest amounts that do, 0 where none does; see `Affine`.
        flip: whether mirror images do.
        shares: share of neighbors kept by each distortion that was tried, beside that of samples as they are.
    """

    shift: float = 0.0
    rotation: float = 0.0
    shear: float = 0.0
    zoom: float = 0.0
    flip: bool = False
    shares: dict[str, float] = field(default_factory=dict)

    def describe(self) -> str:
        """Describe the choice in a line.

        >>> Tolerated(0.08, 20.0, 15.0, 0.12, False, {"flip": 0.32}).describe()
        'distortions by neighbors: shift 0.08, rotation 20, shear 15, zoom 0.12, no mirror images (32% of them fit)'
        """
        amounts = ", ".join(f"{name} {getattr(self, name):g}" for name in _AMOUNTS)
        kept = f"{'and' if self.flip else 'no'} mirror images ({self.shares['flip']:.0%} of them fit)"
        return f"distortions by neighbors: {amounts}, {kept}"


def tolerated(images: Tensor, clusters: Tensor, like: Affine) -> Tolerated:
    """Find the distortions that keep the neighbors of samples in their clusters.

    Neighbors are found by histograms of gradient directions. A distortion is tried on all samples, with amounts drawn
    up to a limit. It is tolerated as long as nearly as many distorted samples as clean ones have a nearest neighbor
    from their own cluster. The clusters are a partition of these samples, such as that of a teacher.

    Args:
        images: floating point images (N, H, W), (N, H, W, 1|3) or (N, 1|3, H, W).
        clusters: cluster (N,) of each.
        like: what is outside an image, and the seed of the draws.

    Returns:
        The distortions.
    """
    axes: Tensor | None = None

    def features(x: Tensor) -> Tensor:
        layout = image_layout(tuple(x.shape[1:]))
        assert layout is not None
        nonlocal axes
        h = gradient_histograms(to_planes(x, layout), _CELLS, _DIRECTIONS)
        if axes is None:  # principal components of the clean samples
            _, vectors = torch.linalg.eigh(torch.cov(h.double().T).reshape(h.shape[1], -1))
            axes = vectors.flip(1)[:, :_COMPONENTS].float()
        return h @ axes

    z = features(images)
    clean = max(kept_share(z, z, clusters), 1e-6)

    def share(**limits: float | bool) -> float:
        off: dict[str, float | bool] = {"shift": 0.0, "rotation": 0.0, "shear": 0.0, "zoom": 0.0, "flip": False}
        distort = Affine(**(off | limits), fill=like.fill, seed=like.seed)  # type: ignore[arg-type]
        amounts = distort.draw(len(images), 0)
        if limits.get("flip"):
            amounts[:, -1] = -1  # all of them
        return kept_share(z, features(distort.transform(images, amounts)), clusters) / clean

    found = Tolerated()
    for name, limits in _AMOUNTS.items():
        # The largest amount before the first that is too much
        for limit in limits:
            found.shares[f"{name} {limit:g}"] = kept = share(**{name: limit})
            if kept < _TOLERATED:
                break
            setattr(found, name, limit)
    found.shares["flip"] = share(flip=True)
    found.flip = found.shares["flip"] >= _MIRRORED
    return found
