"""A fully connected encoder of tables and embeddings, which standardizes every feature by itself; no decoder."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from deepcluster_pl.data.scaling import fit_scaling
from deepcluster_pl.errors import UserError
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.ranges import Count

if TYPE_CHECKING:
    from deepcluster_pl.data.base import ClusteringData


class MLPEncoder(Autoencoder):
    """Linear layers with layer normalization and ReLU; the last one's output is the embedding.

    Every feature is brought to mean 0 and variance 1, whatever the data's own scaling is. So noise of a size, and a
    feature that is left out, mean the same for every feature.

    Args:
        input_shape: shape of one sample; the run supplies it from the data.
        dims: widths of the layers; the last is the length of an embedding.

    Raises:
        UserError: `dims` is empty.
    """

    def __init__(self, input_shape: tuple[int, ...], dims: list[Count]) -> None:
        super().__init__(input_shape)
        if not dims:
            raise UserError("student.net.dims=[] has no layer; type student.net.dims=[128,64]")
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in itertools.pairwise([math.prod(self.input_shape), *dims]):
            layers += [nn.Linear(before, after), nn.LayerNorm(after), nn.ReLU()]
        self.encoder = nn.Sequential(*layers)
        self.decoder = nn.Identity()
        self._latent_dim = dims[-1]

    @property
    def latent_dim(self) -> int:
        """Return the width of the last layer."""
        return self._latent_dim

    def measure(self, data: ClusteringData) -> None:
        """Set shift and factor that standardize every feature of the fitted part."""
        scaling = fit_scaling("standard", data.part("fit"), data.rows_at_once)
        self.set_scaling(scaling.shift, scaling.factor)

    def decode(self, z: Tensor) -> Tensor:
        """Refuse, since there is no decoder."""
        raise NotImplementedError("this net has no decoder")

    def initialize(self, generator: torch.Generator | None = None) -> None:
        """Draw the weights of all layers by PyTorch's own rule, and reset the normalizations."""
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_uniform_(layer.weight, a=5**0.5, generator=generator)
                bound = layer.in_features**-0.5
                nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
            elif isinstance(layer, nn.LayerNorm):
                layer.reset_parameters()
