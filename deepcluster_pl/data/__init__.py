"""Samples: where they come from, how they are split and scaled, and the batches (x, index) they are trained in."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deepcluster_pl.data.augmentation import Affine
    from deepcluster_pl.data.base import ClusteringData
    from deepcluster_pl.data.datamodule import StageData
    from deepcluster_pl.data.options import CommonOptions
    from deepcluster_pl.data.sampler import SeededBatchSampler
    from deepcluster_pl.data.samples import Batch, Part, Table
    from deepcluster_pl.data.scaling import Scaling, fit_scaling
    from deepcluster_pl.data.split import Subset, split_rows

_HOMES = {
    "augmentation": ("Affine",),
    "base": ("ClusteringData",),
    "datamodule": ("StageData",),
    "options": ("CommonOptions",),
    "sampler": ("SeededBatchSampler",),
    "samples": ("Batch", "Part", "Table"),
    "scaling": ("Scaling", "fit_scaling"),
    "split": ("Subset", "split_rows"),
}

__all__ = [
    "Affine", "Batch", "ClusteringData", "CommonOptions", "Part", "Scaling", "SeededBatchSampler", "StageData",
    "Subset", "Table", "fit_scaling", "split_rows",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a name when it is asked for: the processes that decode pictures do without torch (PEP 562)."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
