"""A trained model and samples it has not seen: embeddings and shares that depend on each sample alone."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from numpy.typing import NDArray
from torch import Tensor

from deepcluster_pl.data.samples import Batch, Part, Table
from deepcluster_pl.errors import UserError
from deepcluster_pl.methods.base import ClusteringModule


@dataclass(frozen=True)
class Predictor:
    """Looks at samples in float64, whatever the model was trained in.

    In float32 the same sample's numbers differ in the seventh digit with the samples beside it in a batch, as the
    order of a matrix product's sums does; in float64 the difference is far below anything that is shown or decided.

    Args:
        module: as trained; it is left as it is.
        device: where to compute.
    """

    module: ClusteringModule
    device: torch.device

    def __call__(self, x: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Embeddings (N, D) and shares (N, K) of raw samples (N, *input_shape).

        Raises:
            UserError: the samples have another shape than those that were fitted, or do not fit into float32.
        """
        expected = self.module.net.input_shape
        if tuple(x.shape[1:]) != expected:
            raise UserError(
                f"samples have shape {tuple(x.shape[1:])}, expected {expected} as in the data that was fitted"
            )
        if x.dtype.kind == "f" and not bool((np.abs(x) <= np.finfo(np.float32).max).all()):
            raise UserError("samples hold NaN, infinite values, or values too large for float32")
        module = copy.deepcopy(self.module).to(self.device).double().eval()
        with torch.no_grad():
            z = module.embed(_batches(x))
            return z.cpu().numpy(), module.assign_all(z).cpu().numpy()


def _batches(x: NDArray[Any]) -> Iterator[Batch]:
    """Samples in order, as training reads them: bytes stay bytes, every other number becomes float32."""
    part = Part(Table(x, range(len(x))), np.arange(len(x), dtype=np.int64))
    size = min(8192, max(64, 2**21 // int(np.prod(x.shape[1:]))))
    for rows in part.slices(size):
        yield torch.from_numpy(part.take(rows)), torch.from_numpy(rows)


def order_of(clusters: NDArray[np.int64], n_clusters: int) -> NDArray[np.int64]:
    """Old numbers (K,) in their new order: clusters that hold samples first, so that labels have no gaps.

    >>> order_of(np.array([2, 0, 2]), 3).tolist()
    [0, 2, 1]
    """
    empty = ~np.isin(np.arange(n_clusters), clusters)
    return np.argsort(empty, kind="stable").astype(np.int64)


def as_array(x: Any) -> Any:
    """A tensor, on whatever device, as the array it is; anything else as it came."""
    return x.detach().cpu().numpy() if isinstance(x, Tensor) else x


def device_of(accelerator: str) -> torch.device:
    """Where Lightning's Trainer would put a module; `UserError` if that is not there."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of GPUs that are not used
            trainer = pl.Trainer(
                accelerator=accelerator, devices=1, logger=False, enable_checkpointing=False, enable_progress_bar=False
            )
    except (MisconfigurationException, ValueError, RuntimeError, ImportError) as error:
        raise UserError(f"accelerator={accelerator}: {str(error).splitlines()[0]}") from error
    return trainer.strategy.root_device
