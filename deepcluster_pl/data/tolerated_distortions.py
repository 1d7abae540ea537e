"""Find without labels which distortions images tolerate: digits may be turned a little, and never mirrored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from pydantic import TypeAdapter
from torch import Tensor

from deepcluster_pl.data.augmentation import Affine, Degrees, Slant
from deepcluster_pl.errors import UserError, first_line
from deepcluster_pl.functional.gradient_histograms import gradient_histograms
from deepcluster_pl.functional.kept_neighbors import kept_share
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.image_layout import image_layout, to_planes
from deepcluster_pl.utils.json_files import read_json
from deepcluster_pl.utils.ranges import OpenShare, Share

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
_VALUES_AT_ONCE = 2_000_000


@dataclass
class Tolerated:
    """Distortions that keep the neighbors of samples of their kind.

    Attributes:
        shift, rotation, shear, zoom: the largest amounts that do, 0 where none does; see `Affine`.
        flip: whether mirror images do.
        shares: share of neighbors kept by each distortion that was tried, beside that of samples as they are.
        reason: why none was looked for; empty where they were.
    """

    shift: Share = 0.0
    rotation: Degrees = 0.0
    shear: Slant = 0.0
    zoom: OpenShare = 0.0
    flip: bool = False
    shares: dict[str, float] = field(default_factory=dict)
    reason: str = ""

    @property
    def amounts(self) -> dict[str, float | bool]:
        """Return the arguments of `Affine` that were found."""
        return {**{name: getattr(self, name) for name in _AMOUNTS}, "flip": self.flip}

    def describe(self) -> str:
        """Describe the choice in a line.

        >>> Tolerated(0.08, 20.0, 15.0, 0.12, False, {"flip": 0.32}).describe()
        'distortions by neighbors: shift 0.08, rotation 20, shear 15, zoom 0.12, no mirror images (32% of them fit)'
        >>> Tolerated(reason="samples of 6 are no images").describe()
        'distortions: none, since samples of 6 are no images'
        """
        amounts = ", ".join(f"{name} {getattr(self, name):g}" for name in _AMOUNTS)
        fit = f" ({self.shares['flip']:.0%} of them fit)" if "flip" in self.shares else ""
        text = f"{amounts}, {'and' if self.flip else 'no'} mirror images{fit}"
        if self.reason:
            return f"distortions: {text if any(self.amounts.values()) else 'none'}, since {self.reason}"
        return f"distortions by neighbors: {text}"

    def save(self, path: Path) -> None:
        """Write a JSON file with one key for each attribute."""
        with atomic_write(path) as file:
            json.dump(asdict(self), file, indent=2)

    @staticmethod
    def load(path: Path) -> Tolerated:
        """Read what `save` wrote; `UserError` if the file is damaged."""
        try:
            return _TOLERATED_DISTORTIONS.validate_python(read_json(path))
        except (OSError, ValueError, TypeError) as error:
            raise UserError(f"{path} cannot be read: {first_line(error)}; delete it to look for them again") from error


_TOLERATED_DISTORTIONS = TypeAdapter(Tolerated)


def tolerated(
    images: Tensor, clusters: Tensor, like: Affine, typed: Mapping[str, float | bool] | None = None
) -> Tolerated:
    """Find the distortions that keep the neighbors of samples in their clusters.

    Neighbors are found by histograms of gradient directions. A distortion is tried on all samples, with amounts drawn
    up to a limit. It is tolerated as long as nearly as many distorted samples as clean ones have a nearest neighbor
    from their own cluster. The clusters are a partition of these samples, such as that of a teacher.

    Args:
        images: floating point images (N, H, W), (N, H, W, 1|3) or (N, 1|3, H, W).
        clusters: cluster (N,) of each.
        like: what is outside an image, and the seed of the draws.
        typed: amounts that are known, by their names; the others are looked for.

    Returns:
        The distortions.
    """
    # Principal components of the clean samples
    h = _histograms(images)
    _, vectors = torch.linalg.eigh(torch.cov(h.double().T).reshape(h.shape[1], -1))
    axes = vectors.flip(1)[:, :_COMPONENTS].float()
    z = h @ axes
    clean = max(kept_share(z, z, clusters), 1e-6)

    def share(**limits: float | bool) -> float:
        off: dict[str, float | bool] = {"shift": 0.0, "rotation": 0.0, "shear": 0.0, "zoom": 0.0, "flip": False}
        distort = Affine(**(off | limits), fill=like.fill, seed=like.seed)  # type: ignore[arg-type]
        amounts = distort.draw(len(images), 0)
        if limits.get("flip"):
            amounts[:, -1] = -1  # all of them
        return kept_share(z, _histograms(images, distort, amounts) @ axes, clusters) / clean

    typed = typed or {}
    found = Tolerated(**typed)  # type: ignore[arg-type]
    for name, limits in _AMOUNTS.items():
        if name in typed:
            continue
        # The largest amount before the first that is too much
        for limit in limits:
            found.shares[f"{name} {limit:g}"] = kept = share(**{name: limit})
            if kept < _TOLERATED:
                break
            setattr(found, name, limit)
    if "flip" not in typed:
        found.shares["flip"] = share(flip=True)
        found.flip = found.shares["flip"] >= _MIRRORED
    return found


def _histograms(images: Tensor, distort: Affine | None = None, amounts: Tensor | None = None) -> Tensor:
    """Return the histograms (N, F) of gradient directions of images, some at a time; distorted where that is asked."""
    layout = image_layout(tuple(images.shape[1:]))
    assert layout is not None
    at_once = max(1, _VALUES_AT_ONCE // images[0].numel())
    found = []
    for start in range(0, len(images), at_once):
        some = images[start : start + at_once]
        if distort is not None and amounts is not None:
            some = distort.transform(some, amounts[start : start + at_once])
        found.append(gradient_histograms(to_planes(some, layout), _CELLS, _DIRECTIONS))
    return torch.cat(found)
