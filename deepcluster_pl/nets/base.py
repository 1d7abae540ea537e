"""The interface of every net: samples to embeddings, and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from deepcluster_pl.errors import UserError

if TYPE_CHECKING:
    from deepcluster_pl.data.base import ClusteringData
    from deepcluster_pl.functional.neighbors import NeighborOrder


class Autoencoder(nn.Module, ABC):
    """Interface of encoder and decoder, which also prepares raw samples for them.

    Args:
        input_shape: shape of one sample.

    Attributes:
        input_shape: shape of one sample.
        latent_dim: D, length of an embedding.
        encoder: prepared samples (N, *input_shape) to embeddings (N, D).
        decoder: embeddings (N, D) to samples (N, *input_shape).
        shift: subtracted from samples, of the shape of one sample; saved with the weights.
        factor: multiplies samples afterwards, of the shape of one sample; saved with the weights.
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
        """Draw every weight again by the net's own rule.

        Args:
            generator: source of the draws, on the weights' device; None is the global one, as in the constructor.
        """

    @property
    def embedding_layer(self) -> nn.Linear:
        """Return the encoder's last linear layer, which an activation may follow."""
        return [layer for layer in self.encoder.modules() if isinstance(layer, nn.Linear)][-1]

    def measure(self, data: ClusteringData) -> None:
        """Set what a net takes from the fitted part before any training: for most nets, shift and factor."""
        self.set_scaling(data.scaling.shift, data.scaling.factor)

    @property
    def remark(self) -> str:
        """Return what `measure` found and a person should know, in a few words; for most nets that is nothing."""
        return ""

    def set_scaling(self, shift: NDArray[np.float32], factor: NDArray[np.float32]) -> None:
        """Set shift and factor, which are saved with the weights.

        Args:
            shift: subtracted from samples, of the shape of one sample.
            factor: multiplies samples afterwards, of the shape of one sample.
        """
        self.shift.copy_(torch.as_tensor(shift))
        self.factor.copy_(torch.as_tensor(factor))

    def prepare(self, x: Tensor, augment: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Make raw samples ready for the encoder: bytes over 255, distorted if asked, shifted and scaled.

        Args:
            x: raw samples (N, *input_shape).
            augment: distorts samples before they are scaled; None leaves them.

        Returns:
            Prepared samples (N, *input_shape) in the net's type.
        """
        dtype = self.shift.dtype  # float32, unless the whole net was made something else
        x = x.to(dtype).div_(255) if x.dtype == torch.uint8 else x.to(dtype)  # in place: a new tensor costs a pass more
        x = x if augment is None else augment(x)
        return (x - self.shift).mul_(self.factor)

    def check_linear_code(self) -> None:
        """Raise `UserError` if the embedding is not between two linear layers."""
        _ = self.code_layer, self.first_decoder_layer

    @torch.no_grad()
    def change_code(self, matrix: Tensor, shift: Tensor) -> None:
        """Replace each embedding z by matrix · (z - shift), and leave all reconstructions as they are.

        The map goes into the layer before the embedding and its inverse into the one after; both are computed in
        float64.

        Args:
            matrix: invertible matrix (D, D).
            shift: vector (D,).

        Raises:
            UserError: the embedding is not between two linear layers.
        """
        before, after = self.code_layer, self.first_decoder_layer
        matrix, shift = matrix.cpu().double(), shift.cpu().double()
        # The layer before makes the new embedding
        weight, bias = (p.cpu().double() for p in (before.weight, before.bias))
        before.weight.copy_(matrix @ weight)
        before.bias.copy_(matrix @ (bias - shift))
        # The layer after reads it: W z + b = W (A⁻¹ z' + shift) + b
        weight, bias = (p.cpu().double() for p in (after.weight, after.bias))
        after.weight.copy_(torch.linalg.solve(matrix, weight, left=False))
        after.bias.copy_(bias + weight @ shift)

    def neighbor_order(self, data: ClusteringData) -> NeighborOrder | None:
        """Return what orders the nearest neighbors of fitted samples better than their embeddings do; None by default.

        Args:
            data: the data, set up.
        """
        return None

    def error(self, output: Tensor, x: Tensor) -> Tensor:
        """Return the reconstruction error of outputs (B, *input_shape) of the decoder, in float32: the mean square.

        Args:
            output: as `decode` returned them.
            x: prepared samples (B, *input_shape).
        """
        return F.mse_loss(output.float(), x)

    def encode(self, x: Tensor) -> Tensor:
        """Return the embeddings (N, D) of prepared samples (N, *input_shape)."""
        return self.encoder(x)  # type: ignore[no-any-return]

    @property
    def code_layer(self) -> nn.Linear:
        """Return the encoder's last layer, which makes embeddings of `features`; `UserError` if it is not linear."""
        return self._linear(self.encoder, -1)

    @property
    def first_decoder_layer(self) -> nn.Linear:
        """Return the decoder's first layer, which reads the embedding; `UserError` if it is not linear."""
        return self._linear(self.decoder, 0)

    def features(self, x: Tensor) -> Tensor:
        """Return the inputs (N, F) of `code_layer` for prepared samples (N, *input_shape)."""
        for layer in list(self.encoder.children())[:-1]:
            x = layer(x)
        return x

    def decode(self, z: Tensor) -> Tensor:
        """Return the reconstructions (N, *input_shape) of embeddings (N, D)."""
        return self.decoder(z)  # type: ignore[no-any-return]

    def _linear(self, part: nn.Module, place: int) -> nn.Linear:
        """Return the layer at a place of the encoder or decoder; `UserError` if it is not linear."""
        layer = part[place] if isinstance(part, nn.Sequential) else part
        if not isinstance(layer, nn.Linear):
            raise UserError(
                f"expected an embedding between two linear layers, found {type(layer).__name__} beside it; type "
                f"net.code_activation=null, or choose net=mlp_autoencoder or net=conv_autoencoder"
            )
        return layer
