"""The fully connected autoencoder of the DEC family: d-500-500-2000-10 and its mirror image."""

from __future__ import annotations

import itertools
import math
from typing import Literal

import torch
from torch import nn

from deepcluster_pl.errors import UserError
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.ranges import Count

Init = Literal["fan_in_uniform", "glorot_uniform", "normal"]
_ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "tanh": nn.Tanh}


class MLPAutoencoder(Autoencoder):
    """Linear layers with an activation between them; reconstructions have none, nor, by default, embeddings.

    Args:
        input_shape: shape of one sample; the run supplies it from the data.
        dims: widths of the encoder's layers; the last is the length of an embedding. The decoder mirrors them.
        activation: activation between the layers.
        code_activation: activation on the embedding; null leaves it linear, as DEC does.
        init: weights from U(±1/√fan_in), from Glorot's U(±√(6/(fan_in+fan_out))) (Keras' default), or normal with
            a standard deviation of 0.01 (the DEC paper); biases are zero.

    Raises:
        UserError: `dims` is empty.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        dims: list[Count],
        activation: Literal["relu", "gelu", "silu", "tanh"],
        code_activation: Literal["sigmoid"] | None,
        init: Init,
    ) -> None:
        super().__init__(input_shape)
        if not dims:
            raise UserError(
                "net.dims=[] has no layer, expected at least the length of an embedding; type net.dims=[10]"
            )
        widths = [math.prod(self.input_shape), *dims]
        squash = [nn.Sigmoid()] if code_activation == "sigmoid" else []
        self.encoder = nn.Sequential(nn.Flatten(), *_layers(widths, activation), *squash)
        self.decoder = nn.Sequential(*_layers(widths[::-1], activation), nn.Unflatten(1, self.input_shape))
        self._latent_dim = dims[-1]
        self._init: Init = init
        self.initialize()

    @property
    def latent_dim(self) -> int:
        """Return the width of the encoder's last layer."""
        return self._latent_dim

    def initialize(self, generator: torch.Generator | None = None) -> None:
        """Draw the weights of all layers by the rule `init`."""
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                _initialize(layer, self._init, generator)


def _layers(widths: list[int], activation: str) -> list[nn.Module]:
    """Return linear layers of these widths with an activation between them."""
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(widths):
        layers += [nn.Linear(before, after), _ACTIVATIONS[activation]()]
    return layers[:-1]


def _initialize(layer: nn.Linear, init: Init, generator: torch.Generator | None) -> None:
    """Draw the weights of one layer, and set its biases to zero."""
    if init == "glorot_uniform":
        nn.init.xavier_uniform_(layer.weight, generator=generator)
    elif init == "normal":
        nn.init.normal_(layer.weight, std=0.01, generator=generator)
    else:
        bound = layer.in_features**-0.5
        nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
    nn.init.zeros_(layer.bias)
