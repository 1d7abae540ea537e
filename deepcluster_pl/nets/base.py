"""The interface of every network: samples to embeddings, and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from deepcluster_pl.errors import UserError

if TYPE_CHECKING:
    from deepcluster_pl.data.datamodule import ClusteringData


class Autoencoder(nn.Module, ABC):
    """Encoder and decoder, and the one place where raw samples are made ready for them.

    Attributes:
        input_shape: shape of one sample.
        latent_dim: D, length of an embedding.
        encoder: prepared samples (N, *input_shape) to embeddings (N, D).
        decoder: embeddings (N, D) to samples (N, *input_shape).
    """

    shift: Tensor
    factor: Tensor
    encoder: nn.Module
    decoder: nn.Module

    def __init__(self, input_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.input_shape = tuple(input_shape)
        self.register_buffer("shift", torch.zeros(self.input_shape))
        self.register_buffer("factor", torch.ones(self.input_shape))

    @property
    @abstractmethod
    def latent_dim(self) -> int:
        """Length D of an embedding."""

    @abstractmethod
    def initialize(self, generator: torch.Generator | None = None) -> None:
        """Draw every weight anew by the net's own rule.

        Args:
            generator: where from, on the weights' device; None is the global one, as in the constructor.
        """

    @property
    def embedding_layer(self) -> nn.Linear:
        """The encoder's last linear layer, whose output is the code."""
        return [layer for layer in self.encoder.modules() if isinstance(layer, nn.Linear)][-1]

    def measure(self, data: ClusteringData) -> None:
        """Take from the fitted part what a net knows before any training: for most, shift and factor."""
        self.set_scaling(data.scaling.shift, data.scaling.factor)

    def set_scaling(self, shift: NDArray[np.float32], factor: NDArray[np.float32]) -> None:
        """Take over the shift and factor measured on the fitted part; they are saved with the weights."""
        self.shift.copy_(torch.as_tensor(shift))
        self.factor.copy_(torch.as_tensor(factor))

    def prepare(self, x: Tensor, augment: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Raw samples (N, *input_shape) as the net's type: bytes over 255, distorted if asked, shifted and scaled."""
        dtype = self.shift.dtype  # float32, unless the whole net was made something else
        x = x.to(dtype).div_(255) if x.dtype == torch.uint8 else x.to(dtype)  # in place: a new tensor costs a pass more
        x = x if augment is None else augment(x)
        return (x - self.shift).mul_(self.factor)

    def check_linear_code(self) -> None:
        """`UserError` where the code does not lie between two linear layers."""
        _ = self.code_layer, self.behind_code

    @torch.no_grad()
    def change_code(self, matrix: Tensor, shift: Tensor) -> None:
        """Make the code matrix · (z - shift) of what it was, and the reconstruction what it was, for all samples.

        The map goes into the layer before the code and its inverse into the one behind; both are computed in float64.

        Args:
            matrix: invertible (D, D).
            shift: (D,).
        """
        before, behind = self.code_layer, self.behind_code
        matrix, shift = matrix.cpu().double(), shift.cpu().double()
        weight, bias = (p.cpu().double() for p in (before.weight, before.bias))
        before.weight.copy_(matrix @ weight)
        before.bias.copy_(matrix @ (bias - shift))
        weight, bias = (p.cpu().double() for p in (behind.weight, behind.bias))
        behind.weight.copy_(torch.linalg.solve(matrix, weight, left=False))
        behind.bias.copy_(bias + weight @ shift)

    def encode(self, x: Tensor) -> Tensor:
        """Embeddings (N, D) of prepared samples."""
        return self.encoder(x)  # type: ignore[no-any-return]

    @property
    def code_layer(self) -> nn.Linear:
        """The encoder's last layer, which makes the embedding of `features`; `UserError` where that is not linear."""
        return self._linear(self.encoder, -1)

    @property
    def behind_code(self) -> nn.Linear:
        """The decoder's first layer, which reads the embedding; `UserError` where that is not linear."""
        return self._linear(self.decoder, 0)

    def features(self, x: Tensor) -> Tensor:
        """What `code_layer` makes embeddings of: (N, its inputs) of prepared samples."""
        for layer in list(self.encoder.children())[:-1]:
            x = layer(x)
        return x

    def decode(self, z: Tensor) -> Tensor:
        """Samples (N, *input_shape) as the embeddings (N, D) describe them."""
        return self.decoder(z)  # type: ignore[no-any-return]

    def _linear(self, part: nn.Module, place: int) -> nn.Linear:
        layer = part[place] if isinstance(part, nn.Sequential) else part
        if not isinstance(layer, nn.Linear):
            raise UserError(
                f"expected a code between two linear layers, found {type(layer).__name__} beside it; type "
                f"net.code_activation=null, or choose net=mlp_autoencoder or net=conv_autoencoder"
            )
        return layer
