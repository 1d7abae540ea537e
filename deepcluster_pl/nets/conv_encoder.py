"""A convolutional encoder of images of any size, whose pooled features are the embedding; it has no decoder."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from deepcluster_pl.errors import UserError
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.nets.matrix_convolutions import as_matrices, evaluate
from deepcluster_pl.nets.shared_batch_norm import SharedBatchNorm2d
from deepcluster_pl.utils.image_layout import image_layout, to_planes
from deepcluster_pl.utils.ranges import Count

_ROWS_AT_ONCE, _ROWS_OF_A_THREAD = 128, 4


class ConvEncoder(Autoencoder):
    """3x3 convolutions with batch normalization and ReLU, halved in between, then the mean of each channel.

    Images larger than `largest_side` are first brought down by convolutions of stride 2, so that a step costs about the
    same whatever the size of the images. The mean over places makes the embedding, so any size goes.

    Args:
        input_shape: (H, W), (H, W, 1|3) or (1|3, H, W); the run supplies it from the data.
        channels: channels of the first convolution, and of each pair of convolutions after it, which see the image at
            half the size of those before; the last is the length of an embedding.
        largest_side: sides of the images at the first convolution, in pixels, at most.

    Raises:
        UserError: samples are no images, or `channels` is empty.
    """

    def __init__(self, input_shape: tuple[int, ...], channels: list[Count], largest_side: Count) -> None:
        super().__init__(input_shape)
        layout = image_layout(self.input_shape)
        if layout is None:
            text = "x".join(map(str, self.input_shape))
            raise UserError(
                f"student=conv learns from images (height x width); found samples of {text}; type student=mlp"
            )
        if not channels:
            raise UserError("student.net.channels=[] has no layer; type student.net.channels=[32,64]")
        self.layout = layout
        sides = [side for side, axis in zip(self.input_shape, layout, strict=True) if axis != "C"]
        width = 1 if layout == "HW" else self.input_shape[layout.index("C")]
        layers: list[nn.Module] = []
        # Bring large images down
        while max(sides) > largest_side:
            layers += _convolution(width, channels[0], stride=2)
            width, sides = channels[0], [-(-side // 2) for side in sides]
        # One convolution, then a pair for each further width, at half the size
        layers += _convolution(width, channels[0])
        for before, after in itertools.pairwise(channels):
            layers += [nn.MaxPool2d(2, ceil_mode=True), *_convolution(before, after), *_convolution(after, after)]
        self.encoder = nn.Sequential(*layers)
        self.decoder = nn.Identity()
        self._latent_dim = channels[-1]

    @property
    def latent_dim(self) -> int:
        """Return the number of channels of the last convolution."""
        return self._latent_dim

    def encode(self, x: Tensor) -> Tensor:
        """Return the embeddings (N, D) of prepared images (N, *input_shape): the mean of each channel over places."""
        planes = to_planes(x, self.layout)
        if self.training or torch.compiler.is_compiling():
            return self._pooled(planes)
        # A few images at a time stay in the processor's cache: 70,000 of them take half the time
        if planes.dtype != torch.float64:
            return torch.cat([self._pooled(some) for some in torch.split(planes, _ROWS_AT_ONCE)])
        layers, channels_last = as_matrices(self.encoder.children()), planes.movedim(1, -1)
        size = min(_ROWS_AT_ONCE, _ROWS_OF_A_THREAD * torch.get_num_threads())
        chunks = torch.split(channels_last, size)
        return torch.cat([evaluate(layers, some.contiguous()).mean(dim=(1, 2)) for some in chunks])

    def _pooled(self, planes: Tensor) -> Tensor:
        """Return the mean (N, D) of each channel over places."""
        return self.encoder(planes.contiguous()).mean(dim=(2, 3))  # type: ignore[no-any-return]

    def decode(self, z: Tensor) -> Tensor:
        """Refuse, since there is no decoder."""
        raise NotImplementedError("this net has no decoder")

    def initialize(self, generator: torch.Generator | None = None) -> None:
        """Draw the weights of all convolutions by PyTorch's own rule, and reset the normalizations."""
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_uniform_(layer.weight, a=5**0.5, generator=generator)
            elif isinstance(layer, nn.BatchNorm2d):
                layer.reset_parameters()


def _convolution(before: int, after: int, stride: int = 1) -> list[nn.Module]:
    """Return a 3x3 convolution with batch normalization and ReLU."""
    return [nn.Conv2d(before, after, 3, stride, padding=1, bias=False), SharedBatchNorm2d(after), nn.ReLU()]
