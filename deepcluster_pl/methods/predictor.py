"""Predict samples with a trained method: embeddings and probabilities that depend on each sample alone."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from numpy.typing import NDArray
from torch import Tensor

from deepcluster_pl.data.base import ClusteringData, PartName
from deepcluster_pl.data.samples import Batch, Part, Table
from deepcluster_pl.errors import UserError, first_line
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.nets.embedding import embed, embed_part
from deepcluster_pl.utils.warnings_filter import silenced_libraries

_NUMPY_FLOATS = (torch.float16, torch.float32, torch.float64)


class Predictor:
    """Embeddings and probabilities of raw samples by a trained method, in float64 whatever it was trained in.

    In float32 the seventh digit of a sample's numbers depends on the other samples of its batch, since the order of a
    matrix product's sums does. In float64 this difference is far below anything that is shown or decided. Runs,
    `deepcluster predict` and the estimator all predict through this class, so they agree. On a device without float64
    the CPU computes.

    Args:
        module: trained method; it stays as it is, and the predictor works on a copy.
        device: where to compute.
    """

    def __init__(self, module: ClusteringModule, device: torch.device) -> None:
        try:
            self.module = _float64_copy(module, device)
        except TypeError:  # Apple's GPUs
            self.module = _float64_copy(module, torch.device("cpu"))

    def __call__(self, x: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Predict samples in memory.

        Args:
            x: raw samples (N, *input_shape).

        Returns:
            Embeddings (N, D) and probabilities (N, K).

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
        z = embed(self.module.net, _batches(x))
        return z.cpu().numpy(), self.module.assign_all(z).cpu().numpy()

    def part(self, data: ClusteringData, name: PartName) -> tuple[Tensor, Tensor]:
        """Predict one part of the data; several processes share the work, and each of them gets all.

        Args:
            data: the data.
            name: the part.

        Returns:
            Embeddings (N, D) and probabilities (N, K) in the part's order, on the device.
        """
        z = embed_part(self.module.net, data, name)
        return z, self.module.assign_all(z)


def _float64_copy(module: ClusteringModule, device: torch.device) -> ClusteringModule:
    """Return a copy in evaluation mode without the Trainer and the targets, which are large and of no use here."""
    trainer, targets = module._trainer, module.targets
    module._trainer = module.targets = None
    try:
        copied = copy.deepcopy(module)
    finally:
        module._trainer, module.targets = trainer, targets
    return copied.to(device).double().eval().requires_grad_(False)


def _batches(x: NDArray[Any]) -> Iterator[Batch]:
    """Yield samples in order, as training reads them: bytes stay bytes, every other number becomes float32."""
    part = Part(Table(x, range(len(x))), np.arange(len(x), dtype=np.int64))
    size = min(8192, max(64, 2**21 // int(np.prod(x.shape[1:]))))
    for rows in part.slices(size):
        yield torch.from_numpy(part.take(rows)), torch.from_numpy(rows)


def order_of(clusters: NDArray[np.int64], n_clusters: int) -> NDArray[np.int64]:
    """Return the order in which clusters are numbered: those that hold samples first, so that labels have no gaps.

    Args:
        clusters: cluster (N,) of each sample.
        n_clusters: K.

    Returns:
        Old numbers (K,) in their new order.

    >>> order_of(np.array([2, 0, 2]), 3).tolist()
    [0, 2, 1]
    """
    empty = ~np.isin(np.arange(n_clusters), clusters)
    return np.argsort(empty, kind="stable").astype(np.int64)


def as_array(x: Any) -> Any:
    """Return a tensor, on whatever device, as an array; return anything else unchanged."""
    if isinstance(x, Tensor):
        x = x.detach().cpu()
        # NumPy has no bfloat16
        return (x.float() if x.is_floating_point() and x.dtype not in _NUMPY_FLOATS else x).numpy()
    return x


def device_of(accelerator: str) -> torch.device:
    """Return the device that Lightning's Trainer would use; raise `UserError` if there is none of that kind."""
    try:
        with silenced_libraries():
            warnings.simplefilter("ignore")  # about GPUs that are not used
            trainer = pl.Trainer(
                accelerator=accelerator, devices=1, logger=False, enable_checkpointing=False, enable_progress_bar=False
            )
    except (MisconfigurationException, ValueError, RuntimeError, ImportError) as error:
        raise UserError(f"accelerator={accelerator}: {first_line(error)}") from error
    return trainer.strategy.root_device
