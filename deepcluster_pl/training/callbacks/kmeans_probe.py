"""Score k-means on the embeddings a few times during pretraining, to show whether they get better."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytorch_lightning as pl
from sklearn.cluster import KMeans

from deepcluster_pl.evaluation.metrics import label_scores, separation_scores
from deepcluster_pl.nets.embedding import embed
from deepcluster_pl.utils.determinism import deterministic_openmp
from deepcluster_pl.utils.random import sample_rows
from deepcluster_pl.utils.ranges import Count, NonNegativeInt

_ROWS_OF_SEPARATION = 2000


class KMeansProbe(pl.Callback):
    """Scores of k-means on a sample of the fitted part's embeddings, logged as `probe/<name>`; it changes nothing.

    Args:
        n_clusters: K; with `auto` nothing is logged, because the number is estimated after pretraining.
        times: number of probes during pretraining; the last one is after the last epoch.
        sample_size: number of rows of the fitted part; the separation scores use at most 2,000 of them.
        n_init: restarts of k-means.
        seed: seed of the choice of rows and of the restarts.
    """

    def __init__(
        self, n_clusters: Count | Literal["auto"], times: Count, sample_size: Count, n_init: Count, seed: NonNegativeInt
    ) -> None:
        self.n_clusters = n_clusters
        self.times = times
        self.sample_size = sample_size
        self.n_init = n_init
        self.seed = seed

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log the scores if another of `times` equal parts of pretraining is over."""
        done, total = trainer.current_epoch + 1, trainer.max_epochs or 1
        if done * self.times // total == (done - 1) * self.times // total:
            return
        if not trainer.is_global_zero or self.n_clusters == "auto":
            return
        # Cluster the embeddings of a sample
        data = trainer.datamodule.data  # type: ignore[attr-defined]
        part = data.part("fit")
        rows = sample_rows(len(part), self.sample_size, self.seed)
        z = embed(pl_module.net, data.loader("fit", rows)).cpu().numpy()  # type: ignore[arg-type]
        if not np.isfinite(z).all():
            return  # pretraining diverged, which the initialization will report
        with deterministic_openmp():
            clusters = KMeans(self.n_clusters, n_init=self.n_init, random_state=self.seed).fit_predict(z)
        # Score the clusters
        few = sample_rows(len(z), _ROWS_OF_SEPARATION, self.seed)
        values = {
            **label_scores(None if part.labels is None else part.labels[rows], clusters),
            **{f"{name}_code": value for name, value in separation_scores(z[few], clusters[few]).items()},
        }
        known = {f"probe/{name}": value for name, value in values.items() if value is not None}
        for logger in trainer.loggers:
            logger.log_metrics(known, step=trainer.global_step)
