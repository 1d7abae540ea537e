"""The interface of every clustering method: embed samples, and say which cluster each belongs to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from deepcluster_pl.data.samples import Batch
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.nets.embed import embed

_ROWS_AT_ONCE = 2**17
OptimizerFactory = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]


class ClusteringModule(pl.LightningModule, ABC):
    """A net and what clusters its embeddings.

    Attributes:
        learns: whether there is anything to fit after the start.
        needs_linear_code: whether it uses the net's `features` and `code_layer`.
        distributable: whether several processes come to what one would: the loss is a mean over samples, and all that
            is remembered between steps is the same everywhere.
        clusters_are_centers: whether new centers are all that it needs to begin anew within a fit.
        has_centers: whether `centers` are still those of its clusters behind a fit.
        net: encoder and decoder.
        name: names the run's folder and its tables.
        n_clusters: K.
        centers: (K, D).
        targets: what `make_targets` last gave; a plain tensor, which the `TargetRefresh` callback owns and keeps.
    """

    learns: ClassVar[bool]
    needs_linear_code: ClassVar[bool] = False
    distributable: ClassVar[bool] = False
    clusters_are_centers: ClassVar[bool] = True
    has_centers: ClassVar[bool] = True
    centers: Tensor
    targets: Tensor | None

    def __init__(self, net: Autoencoder, name: str, n_clusters: int) -> None:
        super().__init__()
        self.net = net
        self.name = name
        self.n_clusters = n_clusters
        self.targets = None

    @abstractmethod
    def initialize(self, start: Initialization) -> None:
        """Take over the start's centers, on the module's own device."""

    @abstractmethod
    def assign(self, z: Tensor) -> Tensor:
        """Share (N, K) of each embedding (N, D) in each cluster; rows sum to one, the largest wins."""

    @torch.no_grad()
    def assign_all(self, z: Tensor) -> Tensor:
        """`assign` (N, K) of any number of embeddings (N, D), in slices: what lies between is never N long."""
        shares = z.new_empty((len(z), self.n_clusters))
        for first in range(0, len(z), _ROWS_AT_ONCE):
            shares[first : first + _ROWS_AT_ONCE] = self.assign(z[first : first + _ROWS_AT_ONCE])
        return shares

    def make_targets(self, z: Tensor, q: Tensor) -> Tensor | None:
        """What the steps until the next refresh aim at, a row for each fitted sample; None where there is no aim.

        Args:
            z: embeddings (N, D) of all fitted samples.
            q: their shares (N, K), from `assign`.
        """
        return None

    @torch.no_grad()
    def move_centers(self, centers: Tensor, moved: Tensor) -> None:
        """Put some centers elsewhere within a fit; what is remembered of their way so far is forgotten.

        Args:
            centers: all of them (K, D), in their new places.
            moved: which (K,) are not where they were.
        """
        self.centers.data.copy_(centers)
        optimizer = self.trainer.optimizers[0] if self.trainer.optimizers else None
        for tensor in (optimizer.state.get(self.centers, {}) if optimizer else {}).values():
            if isinstance(tensor, Tensor) and tensor.shape == self.centers.shape:
                tensor[moved] = 0  # momenta and squared gradients of those rows

    def embed(self, loader: Iterable[Batch]) -> Tensor:
        """Embeddings (N, D) of all samples; see `deepcluster_pl.nets.embed.embed`."""
        return embed(self.net, loader)

    def training_step(self, batch: Batch, batch_idx: int) -> Any:
        """Nothing to learn, unless a method says otherwise."""
        raise RuntimeError(f"{self.name} has nothing to fit")

    def configure_optimizers(self) -> Any:
        """No optimizer, unless a method says otherwise."""
        return None
