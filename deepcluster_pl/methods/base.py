"""The interface of every clustering method: embed samples, assign them to clusters, compute a loss."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import Self

from deepcluster_pl.data.augmentation import Affine
from deepcluster_pl.data.samples import Batch
from deepcluster_pl.methods.initialization.initial_clustering import Initialization
from deepcluster_pl.methods.step import Draws, Losses, LossModule, OptimizerFactory
from deepcluster_pl.nets.base import Autoencoder
from deepcluster_pl.nets.embedding import embed
from deepcluster_pl.utils.metric_logging import log_step
from deepcluster_pl.utils.progress import counted

_ROWS_AT_ONCE, _VALUES_AT_ONCE = 2**17, 2**23


class ClusteringModule(LossModule):
    """A net and the clusters of its embeddings.

    A method that is trained defines `assign` and `loss`, and `make_targets` where its loss has targets.

    Args:
        net: pretrained autoencoder; the run supplies it.
        name: names the run folder and its tables.
        n_clusters: K.
        optimizer: makes the optimizer; None for a method that is not trained.
        augment: distorts training batches, or None. Targets and predictions see clean samples.

    Attributes:
        learns: whether the method is trained after its initialization.
        needs_linear_code: whether it uses the net's `features` and `code_layer`.
        clusters_are_centers: whether new centers are all it needs to begin again within a fit.
        has_centers: whether `centers` are still those of its clusters after a fit.
        centers: (K, D), a parameter or a buffer.
        targets: result of the last `make_targets`; a plain tensor that the `TargetRefresh` callback owns.
    """

    learns: ClassVar[bool] = True
    needs_linear_code: ClassVar[bool] = False
    clusters_are_centers: ClassVar[bool] = True
    has_centers: ClassVar[bool] = True
    centers: Tensor
    targets: Tensor | None

    @property
    def asks_for_uneven_sizes(self) -> bool:
        """Return True if the loss asks for clusters of uneven sizes, so that a fit may change those of its start."""
        return False

    def describe_sizes(self) -> str:
        """Return what a person should know about the sizes that the loss asked for; nothing for even ones."""
        return ""

    def __init__(
        self,
        net: Autoencoder,
        name: str,
        n_clusters: int,
        optimizer: OptimizerFactory | None = None,
        augment: Affine | None = None,
    ) -> None:
        super().__init__(net, optimizer, augment)
        self.name = name
        self.n_clusters = n_clusters
        self.targets = None

    def initialize(self, start: Initialization) -> None:
        """Copy the initial centers. Loading a saved model calls this with centers alone, before it reads weights."""
        self.centers.data.copy_(start.centers)

    @abstractmethod
    def assign(self, z: Tensor) -> Tensor:
        """Return probabilities (N, K) of embeddings (N, D); rows sum to one, the largest decides."""

    def make_targets(self, z: Tensor, q: Tensor) -> Tensor | None:
        """Compute the targets of the steps until the next refresh.

        Args:
            z: embeddings (N, D) of all fitted samples.
            q: their probabilities (N, K), from `assign`.

        Returns:
            A tensor with one row for each fitted sample; None for a method without targets.
        """
        return None

    def targets_of(self, index: Tensor) -> Tensor:
        """Return the targets (B, ...) of samples at these rows (B,) of the fitted part."""
        if self.targets is None:
            raise RuntimeError(f"{type(self).__name__} has no targets; add the TargetRefresh callback")
        return self.targets[index]

    def loss(self, batch: Batch, draws: Draws) -> Losses:
        """Refuse to train a method that has no loss."""
        raise RuntimeError(f"{self.name} has nothing to fit")

    def log_losses(self, losses: Losses, n_samples: int) -> None:
        """Log this step's values, all but the sum that is minimized, as `fit/<name>`."""
        log_step(self, {f"fit/{name}": value for name, value in losses.items() if name != "loss"})

    @torch.no_grad()
    def assign_all(self, z: Tensor) -> Tensor:
        """Return `assign` (N, K) of any number of embeddings (N, D), computed in slices to bound the memory."""
        probabilities = z.new_empty((len(z), self.n_clusters))
        rows = max(1, min(_ROWS_AT_ONCE, _VALUES_AT_ONCE // z.shape[1]))
        starts = range(0, len(z), rows)
        for first in counted(starts, len(starts)):
            probabilities[first : first + rows] = self.assign(z[first : first + rows])
        return probabilities

    @torch.no_grad()
    def move_centers(self, centers: Tensor, moved: Tensor) -> None:
        """Move some centers within a fit, and reset the optimizer's state of those.

        Args:
            centers: all centers (K, D), in their new places.
            moved: mask (K,) of those that were moved.
        """
        self.centers.data.copy_(centers)
        optimizer = self.trainer.optimizers[0] if self.trainer.optimizers else None
        for tensor in (optimizer.state.get(self.centers, {}) if optimizer else {}).values():
            if isinstance(tensor, Tensor) and tensor.shape == self.centers.shape:
                tensor[moved] = 0  # momenta and squared gradients of those rows

    def detached(self) -> Self:
        """Return this module on the CPU in evaluation mode, without its Trainer and its targets, as a saved one is."""
        self._trainer, self.targets = None, None
        return self.cpu().eval()

    def embed(self, loader: Iterable[Batch]) -> Tensor:
        """Return embeddings (N, D) of all samples of a loader; see `deepcluster_pl.nets.embedding.embed`."""
        return embed(self.net, loader)
