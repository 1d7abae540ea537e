"""Principal components of histograms of gradient directions: an embedding of images that is measured, not trained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import torch
from annotated_types import Ge
from numpy.typing import NDArray
from torch import Tensor, nn

from deepcluster_pl.data.upright_choice import CLEARER, Clearness, clearness, spread
from deepcluster_pl.errors import UserError
from deepcluster_pl.functional.gradient_histograms import gradient_histograms
from deepcluster_pl.functional.neighbors import NeighborOrder
from deepcluster_pl.functional.upright import upright
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.nets.elastic_neighbors import ElasticOrder, compared
from deepcluster_pl.utils.image_layout import Layout, image_layout, to_planes
from deepcluster_pl.utils.ranges import Count

if TYPE_CHECKING:
    from deepcluster_pl.data.base import ClusteringData

_ROWS = 20_000
_VALUES_AT_ONCE = 4_000_000
_LEAST_SIDE = 4


class Gradients(Autoencoder):
    """Embedding of images by where their edges are and which way they run.

    Histograms of gradient directions (see `gradient_histograms`) are projected onto their first principal components,
    in units of their mean deviation. Neighbors by these embeddings are of the same kind more often than neighbors by
    pixels, because a line that is a little shifted, thicker or brighter stays nearly the same. The decoder is the best
    linear way back to the pixels.

    Images may be set upright first (see `upright`), so that neither place nor slant counts. With `upright="auto"`,
    that is where groups get clearer by it (see `clearness`).

    A graph of neighbors may compare images bent (see `elastic_distances`). With `elastic="auto"`, that is where groups
    get clearer by it too.

    Everything is measured on the fitted part, on at most 20,000 samples that are spread evenly over it, and is saved
    with the weights.

    Args:
        input_shape: (H, W), (H, W, 1|3) or (1|3, H, W); the run supplies it from the data.
        n_cells: cells along each side.
        n_directions: bins of the directions of gradients.
        n_components: length of an embedding, or as many components as there are.
        upright: whether images are set upright; "auto" finds out without labels.
        elastic: whether a graph's neighbors are those by elastic distances; "auto" finds out without labels.

    Attributes:
        clearness: how clear groups are with images as they are, and set upright; None where that was not compared.
        clearness_bent: how clear they are by nearest embeddings, and by elastic distances; None likewise.

    Raises:
        UserError: samples are no images of at least 4 x 4 pixels.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        n_cells: Count,
        n_directions: Annotated[int, Ge(3)],
        n_components: Count,
        upright: bool | Literal["auto"] = False,
        elastic: bool | Literal["auto"] = False,
    ) -> None:
        super().__init__(input_shape)
        self.upright = upright
        self.elastic = elastic
        self.clearness: Clearness | None = None
        self.clearness_bent: tuple[float, float] | None = None
        histograms = _Histograms(self.input_shape, n_cells, n_directions, bool(upright))
        width = histograms.width(self.input_shape)
        self._latent_dim: int = min(n_components, width)
        self.encoder = nn.Sequential(histograms, nn.Linear(width, self._latent_dim))
        self.decoder = nn.Sequential(
            nn.Linear(self._latent_dim, math.prod(self.input_shape)), nn.Unflatten(1, self.input_shape)
        )

    @property
    def latent_dim(self) -> int:
        """Return the number of components."""
        return self._latent_dim

    @property
    def histograms(self) -> _Histograms:
        """Return the first layer."""
        layer: _Histograms = self.encoder[0]  # type: ignore[index]
        return layer

    def initialize(self, generator: torch.Generator | None = None) -> None:
        """Do nothing: weights are measured."""

    @torch.no_grad()
    def measure(self, data: ClusteringData) -> None:
        """Measure scaling, components and the way back on the fitted part, in float64 and two passes over it."""
        super().measure(data)
        if self.upright == "auto":
            self.clearness = clearness(data, self.histograms.layout)
            self.histograms.set_upright(float(self.clearness is not None and self.clearness.is_won))
        self._measure_on(data, spread(len(data.part("fit")), _ROWS))

    @torch.no_grad()
    def neighbor_order(self, data: ClusteringData) -> NeighborOrder | None:
        """Return the order by elastic distances between images, where asked for or where groups get clearer by it."""
        if not self.elastic:
            return None

        def images(rows: NDArray[np.int64]) -> Tensor:
            return torch.from_numpy(data.prepared("fit", rows)).reshape(len(rows), *self.input_shape)

        def embed(rows: NDArray[np.int64]) -> NDArray[np.float32]:
            return self.encode(images(rows).to(self.shift.device)).cpu().numpy()

        order = ElasticOrder(lambda rows: self.histograms.seen(images(rows)).cpu())
        if self.elastic == "auto":
            self.clearness_bent = compared(order, data, embed)
            if self.clearness_bent is None:
                return None
            before, after = self.clearness_bent
            if after - before <= CLEARER:
                return None
            numbers = f"modularity {before:.3f}, then {after:.3f}"
            order.remark = f"neighbors are compared bent, since groups get clearer: {numbers}"
        return order

    @property
    def remark(self) -> str:
        """Return that images are set upright, where that was found to be better."""
        if self.clearness is None or not self.histograms.share:
            return ""
        before, after = self.clearness
        return f"images are set upright, since groups get clearer: modularity {before:.3f}, then {after:.3f}"

    def _measure_on(self, data: ClusteringData, rows: NDArray[np.int64]) -> None:
        """Measure components and the way back on some rows of the fitted part."""
        width = self.code_layer.in_features
        size = max(1, _VALUES_AT_ONCE // max(width, math.prod(self.input_shape)))
        chunks = np.array_split(rows, -(-len(rows) // size))
        # Means of features and of pixels, then their covariances
        h_mean, x_mean = (np.asarray(total) / len(rows) for total in _sums(self, data, chunks))
        products = np.zeros((width, width))
        crossed = np.zeros((width, len(x_mean)))
        for chunk in chunks:
            h, x = _pair(self, data, chunk)
            h = h - h_mean
            products += h.T @ h
            crossed += h.T @ (x - x_mean)
        # The largest components, each with its largest entry positive, in units of their mean deviation
        values, vectors = np.linalg.eigh(products / len(rows))
        values, axes = np.maximum(values[::-1][: self._latent_dim], 0), vectors.T[::-1][: self._latent_dim]
        largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
        unit = max(float(np.sqrt(values.mean())), 1e-12)
        axes = axes * np.where(largest < 0, -1.0, 1.0) / unit
        self.code_layer.weight.copy_(torch.as_tensor(axes))
        self.code_layer.bias.copy_(torch.as_tensor(-axes @ h_mean))
        # The best linear way back: components are uncorrelated, so each has its own regression
        variance = values / unit**2
        back = (axes @ crossed / len(rows)) / np.where(variance > 1e-9, variance, np.inf)[:, None]
        self.first_decoder_layer.weight.copy_(torch.as_tensor(back.T))
        self.first_decoder_layer.bias.copy_(torch.as_tensor(x_mean))


class _Histograms(nn.Module):
    """Layer from images to their histograms of gradient directions; it has no weights.

    Attributes:
        share: part of the slant that is taken away, 0 or 1, saved with the weights; None where that is never asked.
    """

    share: Tensor | None

    def __init__(self, input_shape: tuple[int, ...], n_cells: int, n_directions: int, may_be_upright: bool) -> None:
        super().__init__()
        self.register_buffer("share", torch.ones(()) if may_be_upright else None)
        layout = image_layout(input_shape)
        sides = [] if layout is None else [s for s, axis in zip(input_shape, layout, strict=True) if axis != "C"]
        if layout is None or min(sides) < _LEAST_SIDE:
            text = "x".join(map(str, input_shape))
            raise UserError(
                f"net=gradients reads images (height x width) of at least {_LEAST_SIDE} pixels a side; found samples "
                f"of {text}; type method=communities"
            )
        self.layout: Layout = layout
        self.n_cells = n_cells
        self.n_directions = n_directions

    def forward(self, x: Tensor) -> Tensor:
        """Return the features (N, F) of prepared images (N, *input_shape)."""
        with torch.autocast(x.device.type, enabled=False):
            return gradient_histograms(self.seen(x), self.n_cells, self.n_directions)

    def seen(self, x: Tensor) -> Tensor:
        """Return images (N, C, H, W) of prepared ones, upright where that was found to be better."""
        planes = to_planes(x, self.layout)
        # An exported graph has no branch, so there the share decides
        if self.share is not None and (torch.compiler.is_compiling() or self.share > 0):
            planes = upright(planes, self.share.to(planes.device))
        return planes

    def width(self, input_shape: tuple[int, ...]) -> int:
        """Return the number of features of an image of this shape."""
        blank = to_planes(torch.zeros(1, *input_shape, device="cpu"), self.layout)
        return gradient_histograms(blank, self.n_cells, self.n_directions).shape[1]

    def set_upright(self, share: float) -> None:
        """Set the part of the slant that is taken away."""
        assert self.share is not None
        self.share.fill_(share)


def _pair(net: Gradients, data: ClusteringData, rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], ...]:
    """Return the features (B, F) and the pixels (B, P) of some fitted samples, in float64."""
    x = torch.from_numpy(data.prepared("fit", rows)).reshape(len(rows), *net.input_shape)
    h = net.features(x.to(net.shift.device))
    return h.cpu().double().numpy(), x.reshape(len(rows), -1).double().numpy()


def _sums(net: Gradients, data: ClusteringData, chunks: Sequence[NDArray[np.int64]]) -> list[NDArray[np.float64]]:
    """Return the sums of features and of pixels over some fitted samples."""
    totals: list[NDArray[np.float64]] = []
    for chunk in chunks:
        sums = [values.sum(axis=0) for values in _pair(net, data, chunk)]
        totals = sums if not totals else [total + more for total, more in zip(totals, sums, strict=True)]
    return totals
