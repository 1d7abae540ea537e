"""The net without weights, for clustering on the input itself."""

from __future__ import annotations

import math

import torch
from torch import nn

from deepcluster_pl.nets.base import Autoencoder


class Identity(Autoencoder):
    """Net whose embeddings are the flattened prepared samples.

    Args:
        input_shape: shape of one sample; the run supplies it from the data.
    """

    def __init__(self, input_shape: tuple[int, ...]) -> None:
        super().__init__(input_shape)
        self.encoder = nn.Flatten()
        self.decoder = nn.Unflatten(1, self.input_shape)

    @property
    def latent_dim(self) -> int:
        """Return the number of values in a sample."""
        return math.prod(self.input_shape)

    def initialize(self, generator: torch.Generator | None = None) -> None:
        """Do nothing: there are no weights."""
