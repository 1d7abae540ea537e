"""Deep clustering on PyTorch Lightning: unlabeled data in, groups out, with numbers that hold."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

_MATHEMATICS = (
    "cluster_sizes",
    "clustering_accuracy",
    "contingency",
    "gaussian_log_density",
    "is_collapsed",
    "log_soft_assignment",
    "purity",
    "share_changed",
    "size_entropy",
    "soft_assignment",
    "squared_distances",
    "target_distribution",
)
_EXPORTS = {
    **dict.fromkeys(_MATHEMATICS, "deepcluster_pl.functional"),
    "DeepClustering": "deepcluster_pl.estimator",
    "load_model": "deepcluster_pl.methods.serialization",
}

__all__ = ["__version__", *sorted(_EXPORTS)]


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for, so that `--help` does not wait for torch (PEP 562)."""
    if name in _EXPORTS:
        return getattr(import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
