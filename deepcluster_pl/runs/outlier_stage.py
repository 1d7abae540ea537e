"""Take samples that no group explains out of the result of a training, where the recipe asks for it."""

from __future__ import annotations

from dataclasses import replace

from deepcluster_pl.evaluation.outliers import find_outliers
from deepcluster_pl.evaluation.predictions import partition_from
from deepcluster_pl.runs.stages import announce
from deepcluster_pl.runs.trained import Trained
from deepcluster_pl.utils.progress import doing


def take_out_outliers(trained: Trained) -> Trained:
    """Return the result of a training, with the samples that are in no group; see `find_outliers`.

    Args:
        trained: its recipe's `outliers` is the rule; the same partition and seed give the same answer, so a resumed
            run repeats it.
    """
    cfg = trained.cfg
    rule = cfg.get("outliers", "none")
    if rule == "none":
        return trained
    announce(trained.data, "looking for outliers among")
    with doing("looking for outliers"):
        found = find_outliers(trained.data, partition_from(trained.predictions), cfg.n_clusters, rule, cfg.seed)
    return replace(trained, outliers=found)
