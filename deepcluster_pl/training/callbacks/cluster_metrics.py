"""Log scores, cluster sizes and the share of changed samples at every refresh."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.loggers import TensorBoardLogger

from deepcluster_pl.evaluation.metrics import label_scores, separation_scores, size_scores
from deepcluster_pl.training.callbacks.target_refresh import Refresh
from deepcluster_pl.utils.random import sample_rows
from deepcluster_pl.utils.ranges import Count, NonNegativeInt


class ClusterMetrics(pl.Callback):
    """Curves `clusters/<name>` of a fit. Labels are read from the data and reach nothing but the log.

    Args:
        sample_size: number of embeddings that silhouette and Davies-Bouldin are computed on.
        seed: seed of the choice of these embeddings.
    """

    def __init__(self, sample_size: Count, seed: NonNegativeInt) -> None:
        self.sample_size = sample_size
        self.seed = seed

    def on_refresh(self, trainer: pl.Trainer, module: Any, refresh: Refresh) -> None:
        """Score the current partition of the fitted part."""
        if not trainer.is_global_zero:
            return
        clusters = refresh.clusters.numpy()
        labels = trainer.datamodule.data.part("fit").labels  # type: ignore[attr-defined]
        rows = sample_rows(len(clusters), self.sample_size, self.seed)
        separation = separation_scores(refresh.z[rows].cpu().numpy(), clusters[rows])
        sizes = size_scores(clusters, module.n_clusters)
        values: dict[str, float | None] = {
            **label_scores(labels, clusters),
            **{f"{name}_code": value for name, value in separation.items()},
            "changed": refresh.changed,
            "size_entropy": sizes["size_entropy"],
            "size_smallest": min(sizes["cluster_sizes"]),
            "size_largest": max(sizes["cluster_sizes"]),
            "confidence": float(refresh.q.max(dim=1).values.mean()),
        }
        known = {f"clusters/{name}": float(value) for name, value in values.items() if value is not None}
        for logger in trainer.loggers:
            logger.log_metrics(known, step=refresh.step)
            # TensorBoard shows the sizes as a histogram with one bar for each cluster
            if isinstance(logger, TensorBoardLogger):
                edges = [k - 0.5 for k in range(module.n_clusters + 1)]
                logger.experiment.add_histogram("clusters/sizes", clusters, refresh.step, bins=edges)
