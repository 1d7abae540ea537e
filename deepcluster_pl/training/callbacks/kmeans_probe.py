"""Score k-means on the code now and then during pretraining: does the representation get better?"""

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


class KMeansProbe(pl.Callback):
    """Clusters a sample of the fitted part's code and logs the scores under `probe/`; it changes nothing.

    Args:
        n_clusters: K; `auto` where it is not known before the code is: then it does not look.
        times: how often in the whole of pretraining, the last epoch included.
        sample_size: rows of the fitted part it looks at; separation is measured on at most 2,000 of them.
        n_init: restarts of k-means.
        seed: decides the rows and the restarts.
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
        """Measure when another tenth (say) of the epochs is over."""
        done, total = trainer.current_epoch + 1, trainer.max_epochs or 1
        if done * self.times // total == (done - 1) * self.times // total:
            return
        if not trainer.is_global_zero or self.n_clusters == "auto":
            return
        data = trainer.datamodule.data  # type: ignore[attr-defined]
        part = data.part("fit")
        rows = sample_rows(len(part), self.sample_size, self.seed)
        z = embed(pl_module.net, data.loader("fit", rows)).cpu().numpy()  # type: ignore[arg-type]
        if not np.isfinite(z).all():
            return  # pretraining diverged; the start will say so
        with deterministic_openmp():
            clusters = KMeans(self.n_clusters, n_init=self.n_init, random_state=self.seed).fit_predict(z)
        few = sample_rows(len(z), 2000, self.seed)
        values = {
            **label_scores(None if part.labels is None else part.labels[rows], clusters),
            **{f"{name}_code": value for name, value in separation_scores(z[few], clusters[few]).items()},
        }
        known = {f"probe/{name}": value for name, value in values.items() if value is not None}
        for logger in trainer.loggers:
            logger.log_metrics(known, step=trainer.global_step)
