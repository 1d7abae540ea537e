"""Principal components of each block of features and then of all blocks, plus residual layers initialized to zero."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from deepcluster_pl.data.images.objects import OBJECTS
from deepcluster_pl.data.images.photo_features import block_length
from deepcluster_pl.errors import UserError
from deepcluster_pl.functional.block_components import WeightedBlock, block_components, moments, principal_axes
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.ranges import Count, NonNegativeFloat, Share

if TYPE_CHECKING:
    from deepcluster_pl.data.base import ClusteringData

_MOST_FEATURES = 8192


class PCA(Autoencoder):
    """Linear embedding that is measured instead of trained, plus a correction that a fit may learn.

    Each block of features is projected onto its first principal components, whose standard deviations are raised to
    the power `1 - whitening`. Blocks are then scaled to the same total variance, so that long ones do not drown short
    ones. All blocks together are projected onto `latent_dim` components, in units of their mean deviation. With
    `hidden`, layers that read the blocks' components add to the embedding. The last of them is initialized to zero, so
    that the embedding begins as the linear one.

    The block `objects`, of a trained network, keeps the variances that its features had before they were scaled, and
    more components. All descriptors together weigh `descriptor_weight` beside it.

    Everything is measured on the fitted part and saved with the weights.

    Args:
        input_shape: (F,); the run supplies it from the data.
        blocks: names of descriptors, in the order of the features; null takes all features as one block.
        n_components: components of each block, or as many as it has.
        whitening: 0 leaves the components' deviations as they are, 1 makes them equal.
        latent_dim: length of an embedding; None = n_components, or all components where there are fewer.
        hidden: widths of the layers that correct it, with ReLU between them; [] has none.
        n_object_components: components of the block `objects`.
        descriptor_weight: standard deviation of all descriptors together, where that of `objects` is 1.
        unit_length: whether an embedding is divided by its length; then distances are those of directions, and the
            decoder returns a direction too.

    Raises:
        UserError: the blocks do not describe the features, or there are too many features or too few components.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        blocks: list[str] | None,
        n_components: Count,
        whitening: Share,
        latent_dim: Count | None,
        hidden: list[Count],
        n_object_components: Count = 50,
        descriptor_weight: NonNegativeFloat = 0.4,
        unit_length: bool = False,
    ) -> None:
        super().__init__(input_shape)
        self.lengths = _lengths(blocks, math.prod(self.input_shape))
        self.blocks = _weighted_blocks(blocks, self.lengths, n_components, n_object_components, descriptor_weight)
        self.whitening = whitening
        width = sum(block.n_components for block in self.blocks)
        latent_dim = min(n_components, width) if latent_dim is None else latent_dim
        if latent_dim > width:
            raise UserError(f"net.latent_dim={latent_dim} should be at most the {width} components of all blocks")
        self._latent_dim = latent_dim
        reduce = nn.Linear(math.prod(self.input_shape), width, bias=False).requires_grad_(False)
        last = nn.Linear(width, latent_dim)
        top: nn.Module = ResidualLinear(last, hidden) if hidden else last
        self.encoder = nn.Sequential(nn.Flatten(), reduce, top, *([UnitLength()] if unit_length else []))
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, math.prod(self.input_shape)), nn.Unflatten(1, self.input_shape)
        )
        self.initialize()

    @property
    def latent_dim(self) -> int:
        """Return the length of an embedding."""
        return self._latent_dim

    def initialize(self, generator: torch.Generator | None = None) -> None:
        """Draw the correction's weights again; measured weights stay."""
        top = self.encoder[-1]  # type: ignore[index]
        if isinstance(top, ResidualLinear):
            top.initialize(generator)

    def measure(self, data: ClusteringData) -> None:
        """Measure scaling and components on the fitted part, in float64 and two passes over it."""
        super().measure(data)
        chunks = data.part("fit").slices(data.rows_at_once)
        mean, covariance = moments(lambda rows: data.prepared("fit", rows), chunks)
        self.measure_components(mean, covariance, self._unscaling(data))

    @torch.no_grad()
    def measure_components(
        self, mean: NDArray[np.float64], covariance: NDArray[np.float64], unscaling: NDArray[np.float64]
    ) -> None:
        """Set the components, and the way back from them, by the moments of prepared samples.

        Args:
            mean: mean (F,) of the features.
            covariance: their covariance (F, F).
            unscaling: factor (F,) of each feature that undoes its scaling, where its block asks for that; else 1.
        """
        # Components of each block, and of all blocks together
        first = block_components(covariance, self.blocks, self.whitening, unscaling)
        reduced = first @ covariance @ first.T
        variance, axes = principal_axes(reduced, self.latent_dim)
        unit = max(float(np.sqrt(variance.mean())), 1e-12)
        second = axes / unit
        # Two linear layers that project a sample, less the mean, onto them
        reduce, top = self.encoder[1], self.encoder[2]  # type: ignore[index]
        last = top.last if isinstance(top, ResidualLinear) else top
        reduce.weight.copy_(torch.as_tensor(first))
        last.weight.copy_(torch.as_tensor(second))
        last.bias.copy_(torch.as_tensor(-second @ first @ mean))
        # The correction reads the blocks' components with mean 0 and mean variance 1
        if isinstance(top, ResidualLinear):
            top.shift.copy_(torch.as_tensor(first @ mean))
            top.factor.fill_(1 / max(float(np.sqrt(np.trace(reduced) / len(reduced))), 1e-12))
        # The decoder is the best linear way back
        back = np.linalg.pinv(second @ first)
        self.decoder[0].weight.copy_(torch.as_tensor(back))  # type: ignore[index]
        self.decoder[0].bias.copy_(torch.as_tensor(mean))  # type: ignore[index]

    def _unscaling(self, data: ClusteringData) -> NDArray[np.float64]:
        """Return a factor (F,) for each feature: of objects, the one that undoes their scaling, else 1."""
        factor = np.broadcast_to(data.scaling.factor, self.input_shape).reshape(-1).astype(np.float64)
        kept = np.concatenate([np.full(block.length, block.is_scaled) for block in self.blocks])
        return np.where(kept | (factor == 0), 1.0, 1.0 / np.where(factor == 0, 1.0, factor))


class UnitLength(nn.Module):
    """Division of each embedding by its length."""

    def forward(self, z: Tensor) -> Tensor:
        """Return directions (N, D) of embeddings (N, D)."""
        return nn.functional.normalize(z, dim=1)


class ResidualLinear(nn.Module):
    """Linear layer plus residual layers initialized to zero.

    Args:
        last: the linear layer.
        hidden: widths of the residual layers, with ReLU between them.

    Attributes:
        shift: subtracted (C,) from the inputs of the residual layers.
        factor: scalar that multiplies them afterwards.
    """

    shift: Tensor
    factor: Tensor

    def __init__(self, last: nn.Linear, hidden: Sequence[int]) -> None:
        super().__init__()
        self.last = last
        self.register_buffer("shift", torch.zeros(last.in_features))
        self.register_buffer("factor", torch.ones(()))
        widths = [last.in_features, *hidden, last.out_features]
        layers = [module for pair in itertools.pairwise(widths) for module in (nn.Linear(*pair), nn.ReLU())]
        self.beside = nn.Sequential(*layers[:-1])

    def initialize(self, generator: torch.Generator | None = None) -> None:
        """Draw He's weights, and set biases and the last residual layer to zero."""
        layers = [layer for layer in self.beside if isinstance(layer, nn.Linear)]
        for layer in layers:
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu", generator=generator)
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(layers[-1].weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return embeddings (N, D) of the blocks' components (N, C)."""
        corrected: Tensor = self.last(x) + self.beside((x - self.shift) * self.factor)
        return corrected


def _weighted_blocks(
    names: list[str] | None, lengths: Sequence[int], n_components: int, n_object_components: int, weight: float
) -> list[WeightedBlock]:
    """Return the blocks; descriptors share a weight where there are objects, else each weighs 1.

    Args:
        names: of the blocks, or None for one without a name.
        lengths: of the blocks.
        n_components: of a block of descriptors, at most.
        n_object_components: of objects.
        weight: of all descriptors together, beside objects.
    """
    names = names or [""]
    n_described = sum(name != OBJECTS for name in names)
    own = weight / math.sqrt(n_described) if OBJECTS in names and n_described else 1.0
    blocks = []
    for name, length in zip(names, lengths, strict=True):
        if name == OBJECTS:
            blocks.append(WeightedBlock(length, min(n_object_components, length), 1.0, False))
        else:
            blocks.append(WeightedBlock(length, min(n_components, length), own, True))
    return blocks


def _lengths(blocks: list[str] | None, n_features: int) -> list[int]:
    """Return the number of features of each block; `UserError` if they do not sum to the features there are."""
    if n_features > _MOST_FEATURES:
        raise UserError(
            f"net=pca takes at most {_MOST_FEATURES} features, found {n_features}; type net=conv_autoencoder"
        )
    if blocks is None:
        return [n_features]
    found = [block_length(name) for name in blocks]
    lengths = [length for length in found if length is not None]
    if None in found or sum(lengths) != n_features:
        raise UserError(
            f"net.blocks={blocks} describe {sum(lengths)} features, and samples have {n_features}; type net.blocks=null"
        )
    return lengths
