"""Warn during a fit when a cluster has lost all of its samples."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
from rich.console import Console

from deepcluster_pl.functional import cluster_sizes
from deepcluster_pl.training.callbacks.target_refresh import Refresh


class EmptyClusterWarning(pl.Callback):
    """One printed line at the first refresh that finds an empty cluster; scores.json counts them at the end.

    Args:
        console: prints the line.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self._has_warned = False

    def on_refresh(self, trainer: pl.Trainer, module: Any, refresh: Refresh) -> None:
        """Count the samples of each cluster."""
        n_empty = int((cluster_sizes(refresh.clusters, module.n_clusters) == 0).sum())
        if (n_empty or refresh.n_reseeded) and not self._has_warned:
            self._has_warned = True
            text = f"{n_empty} of {module.n_clusters} clusters are empty at step {refresh.step}"
            if refresh.n_reseeded:
                text += f", after the centers of {refresh.n_reseeded} empty clusters were moved"
            self.console.print(f"warning: {text}", soft_wrap=True)
