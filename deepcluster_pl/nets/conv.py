"""The convolutional autoencoder of ConvDEC: strided convolutions down to an embedding, and their mirror image."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from deepcluster_pl.errors import UserError
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.utils.image_layout import Layout, from_planes, image_layout, to_planes
from deepcluster_pl.utils.ranges import Count

_Pair = tuple[int, int]


class ConvAutoencoder(Autoencoder):
    """Convolutions of stride 2 with ReLU between them, a linear embedding, and transposed convolutions back.

    Every convolution halves the sides and rounds up, by zeros around the image. Only the last one goes without zeros
    along a side that does not divide evenly (28 → 14 → 7 → 3), as in ConvDEC (Guo, Zhu, Liu, Yin 2018; the net is that
    of Guo, Liu, Zhu, Yin 2017). Weights are Glorot's U(±√(6/(fan_in+fan_out))), Keras' default; biases are zero.

    Args:
        input_shape: (H, W), (H, W, 1|3) or (1|3, H, W); the run supplies it from the data.
        channels: output channels of each convolution.
        kernel_sizes: side of each convolution's kernel, odd.
        latent_dim: length of an embedding.

    Raises:
        UserError: samples are no images, the lists do not fit each other, or the net is too deep for the images.
    """

    def __init__(
        self, input_shape: tuple[int, ...], channels: list[Count], kernel_sizes: list[Count], latent_dim: Count
    ) -> None:
        super().__init__(input_shape)
        # Refuse what cannot be built
        layout = image_layout(self.input_shape)
        if layout is None:
            text = "x".join(map(str, self.input_shape))
            raise UserError(
                f"net=conv_autoencoder reads images (height x width); found samples of {text}; type net=mlp_autoencoder"
            )
        if not channels or len(channels) != len(kernel_sizes) or not all(size % 2 for size in kernel_sizes):
            raise UserError(
                f"net.channels={channels} net.kernel_sizes={kernel_sizes}: expected lists of one length, kernels odd"
            )
        # Sides and zeros of every convolution
        height, width = [side for side, axis in zip(self.input_shape, layout, strict=True) if axis != "C"]
        planes = 1 if layout == "HW" else self.input_shape[layout.index("C")]
        sizes, pads = _sizes((height, width), kernel_sizes)
        widths = [planes, *channels]
        down: list[nn.Module] = []
        up: list[nn.Module] = []
        # One convolution for each step down, and its transpose for the step up
        for i, (before, after) in enumerate(itertools.pairwise(widths)):
            kernel, pad = kernel_sizes[i], pads[i]
            down += [nn.Conv2d(before, after, kernel, stride=2, padding=pad), nn.ReLU()]
            # Rows and columns that the transpose lacks, because the step down rounded
            rows, columns = (sizes[i][a] - ((sizes[i + 1][a] - 1) * 2 - 2 * pad[a] + kernel) for a in (0, 1))
            back = nn.ConvTranspose2d(after, before, kernel, stride=2, padding=pad, output_padding=(rows, columns))
            up = [nn.ReLU(), back, *up]
        # Linear layers between the last convolution and the embedding
        bottom = (channels[-1], *sizes[-1])
        n_bottom = math.prod(bottom)
        shrink, grow = nn.Linear(n_bottom, latent_dim), nn.Linear(latent_dim, n_bottom)
        self.encoder = nn.Sequential(_Function(to_planes, layout), *down, nn.Flatten(), shrink)
        self.decoder = nn.Sequential(grow, nn.Unflatten(1, bottom), *up, _Function(from_planes, layout))
        self._latent_dim = latent_dim
        self.initialize()

    @property
    def latent_dim(self) -> int:
        """Return the length of an embedding."""
        return self._latent_dim

    def initialize(self, generator: torch.Generator | None = None) -> None:
        """Draw Glorot's weights, and set biases to zero."""
        for layer in self.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                nn.init.xavier_uniform_(layer.weight, generator=generator)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]


class _Function(nn.Module):
    """Layer without weights that changes the layout of images."""

    def __init__(self, function: Callable[[Tensor, Layout], Tensor], layout: Layout) -> None:
        super().__init__()
        self.function = function
        self.layout: Layout = layout

    def forward(self, x: Tensor) -> Tensor:
        """Return images of another layout."""
        return self.function(x, self.layout)


def _sizes(size: _Pair, kernel_sizes: list[int]) -> tuple[list[_Pair], list[_Pair]]:
    """Return height and width before and after every convolution, and the zeros around each image on the way."""
    whole, sizes = 2 ** len(kernel_sizes), [size]
    pads: list[_Pair] = []
    for i, kernel in enumerate(kernel_sizes):
        last = i == len(kernel_sizes) - 1
        # Zeros keep the rounding up, except before the last convolution of a side that does not divide evenly
        across, down = (0 if last and side % whole else kernel // 2 for side in size)
        height, width = sizes[-1]
        sizes.append(((height + 2 * across - kernel) // 2 + 1, (width + 2 * down - kernel) // 2 + 1))
        pads.append((across, down))
        if min(sizes[-1]) < 1:
            raise UserError(
                f"net=conv_autoencoder with {len(kernel_sizes)} convolutions is too deep for images of "
                f"{size[0]}x{size[1]}; type net=mlp_autoencoder, or net.channels and net.kernel_sizes with fewer"
            )
    return sizes, pads
