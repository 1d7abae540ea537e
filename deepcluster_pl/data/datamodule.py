"""Training batches of one stage, as Lightning asks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytorch_lightning as pl
from numpy.typing import NDArray

from deepcluster_pl.data.base import ClusteringData, Loader
from deepcluster_pl.data.sampler import SeededBatchSampler
from deepcluster_pl.utils.distributed import rank, world_size


class StageData(pl.LightningDataModule):
    """The fitted part in shuffled batches for training, and the held-out part in order for validation.

    Args:
        data: the samples, set up.
        batch_size: rows in a training batch, summed over all processes.
        shuffle: draw a new order for every epoch.
        seed: decides the orders.
        rows: rows (M,) of the fitted part that are trained on, which batches number from 0; None for all.

    Attributes:
        data: the samples; callbacks find them as `trainer.datamodule.data`.
        wrap: changes the loader of training batches on its way to Lightning; None changes nothing.
    """

    def __init__(
        self,
        data: ClusteringData,
        batch_size: int,
        shuffle: bool,
        seed: int,
        rows: NDArray[np.int64] | None = None,
    ) -> None:
        super().__init__()
        self.data = data
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.rows = rows
        self.wrap: Callable[[Loader], Any] | None = None

    def train_dataloader(self) -> Any:
        """Return batches in the order of (seed, epoch), from where a checkpoint stopped."""
        loader = self.data.batches("fit", self._sampler(rank()), self.rows)
        return loader if self.wrap is None else self.wrap(loader)

    def val_dataloader(self) -> Loader | Sequence[Loader]:
        """Return the held-out part in order, or no batches where nothing is held out."""
        return self.data.loader("holdout") if len(self.data.part("holdout")) else []

    def rows_in(self, batch: int) -> int:
        """Return the number of rows of a training batch of an epoch, summed over all processes."""
        return self._sampler(0).rows_in(batch)

    def _sampler(self, rank: int) -> SeededBatchSampler:
        n = len(self.data.part("fit")) if self.rows is None else len(self.rows)
        return SeededBatchSampler(n, self.batch_size, self.seed, self.shuffle, rank, world_size(), self._batches_done)

    def _batches_done(self) -> int:
        """Return how many batches this stage has trained on; Lightning stores the count in its checkpoints."""
        return 0 if self.trainer is None else int(self.trainer.fit_loop.epoch_loop.batch_progress.total.ready)
