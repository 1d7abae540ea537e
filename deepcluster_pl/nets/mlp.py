"""The fully connected autoencoder of the DEC family: d-500-500-2000-10 and its mirror image."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from deepcluster_pl.errors import UserError
from deepcluster_pl.functional.mixed_error import mixed_error
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.nets.column_errors import column_errors
from deepcluster_pl.utils.ranges import Count

if TYPE_CHECKING:
    from deepcluster_pl.data.base import ClusteringData

Error = Literal["squared", "mixed"]
Init = Literal["fan_in_uniform", "glorot_uniform", "normal"]
_ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "tanh": nn.Tanh}


class MLPAutoencoder(Autoencoder):
    """Linear layers with an activation between them; reconstructions have none, nor, by default, embeddings.

    Args:
        input_shape: shape of one sample; the run supplies it from the data.
        dims: widths of the encoder's layers; the last is the length of an embedding. The decoder mirrors them.
        activation: activation between the layers.
        code_activation: activation on the embedding; null leaves it linear, as DEC does.
        error: of reconstructions. `mixed` is the cross-entropy for each category of a table, for which outputs are
            logits, and the squared error for all other columns, each column alike. `squared` is the mean square
            everywhere, as for samples that are no tables with categories.
        init: weights from U(±1/√fan_in), from Glorot's U(±√(6/(fan_in+fan_out))) (Keras' default), or normal with
            a standard deviation of 0.01 (the DEC paper); biases are zero.

    Raises:
        UserError: `dims` is empty.
    """

    error_weights: Tensor | None
    error_places: Tensor
    error_shares: Tensor
    error_entropies: Tensor

    def __init__(
        self,
        input_shape: tuple[int, ...],
        dims: list[Count],
        activation: Literal["relu", "gelu", "silu", "tanh"],
        code_activation: Literal["sigmoid"] | None,
        init: Init,
        error: Error = "squared",
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
        self._error: Error = error
        # Measured before any training, and needed by nothing but training
        for name in ("error_weights", "error_places", "error_shares", "error_entropies"):
            self.register_buffer(name, None, persistent=False)
        self.initialize()

    @property
    def latent_dim(self) -> int:
        """Return the width of the encoder's last layer."""
        return self._latent_dim

    def measure(self, data: ClusteringData) -> None:
        """Set shift and factor, and for `mixed` the weights of a table's columns."""
        super().measure(data)
        if self._error == "mixed" and (measured := column_errors(data)) is not None:
            for name, values in zip(("weights", "places", "shares", "entropies"), measured, strict=True):
                setattr(self, f"error_{name}", values)

    def error(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the reconstruction error of a batch: that of its columns where categories are among them."""
        if self.error_weights is None:
            return super().error(output, x)
        return mixed_error(
            output.float(), x, self.error_weights, self.error_places, self.error_shares, self.error_entropies
        )

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
