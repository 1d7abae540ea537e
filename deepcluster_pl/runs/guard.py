"""Keep the start of a fit where the fit ended in a worse partition, judged without labels."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.evaluation.label_free import Comparison, compare_partitions
from deepcluster_pl.evaluation.predictions import Partition, Predictions, partition_from, predict_all
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.utils.distributed import broadcast_from_rank_zero

State = dict[str, Tensor]
"""Weights of a method at its start, on the CPU."""


@dataclass(frozen=True)
class Guarded:
    """The better one of a fit and its start.

    Attributes:
        kept: `start` or `fit`.
        comparison: information about neighbors of the initial partition and of that after the fit.
        by_share: whether it is divided by the entropy of the clusters, as where the fit asked for uneven sizes.
    """

    kept: Literal["start", "fit"]
    comparison: Comparison
    by_share: bool = False

    def record(self) -> dict[str, Any]:
        """Return the numbers that decided, for scores.json."""
        numbers = {"start": self.comparison.first, "fit": self.comparison.second, "error": self.comparison.error}
        return numbers | {"criterion": "share" if self.by_share else "information"}

    def describe(self) -> str:
        """Describe the decision in a line."""
        start, fit, error = self.comparison.first, self.comparison.second, self.comparison.error
        said = "explain {:.3f} of the entropy" if self.by_share else "say {:.3f} nats"
        numbers = f"neighbors {said.format(start)} of its groups, {fit:.3f} of the fit's, ± {error:.3f}"
        if self.kept == "start":
            return f"guard: the fit made the groups worse, so its start stays: {numbers}; guard=false takes the fit"
        return f"guard: the fit stays, as it is no worse than its start: {numbers}"


def remember_start(method: ClusteringModule) -> State:
    """Return a copy of a method's weights, from right after its initialization."""
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in method.state_dict().items()}


def keep_better(
    method: ClusteringModule,
    data: ClusteringData,
    start: State,
    started: Partition,
    fitted: Predictions,
    seed: int,
) -> tuple[Guarded, Predictions]:
    """Compare the partition of a fit with that of its start, and give the method the weights of the better one.

    Both are judged by the information about neighbors in the prepared input, which neither fit nor start has
    seen as its loss. It is divided by the entropy of the clusters where the fit asked for uneven sizes. The start wins
    where the fit is worse by more than the error of the difference. Rank 0 decides for all processes.

    Args:
        method: the method after its fit, changed in place where the start is better.
        data: the data; its fitted part decides.
        start: weights of the method at its start.
        started: partition at the start.
        fitted: predictions after the fit.
        seed: seed of the run; decides the rows where there are many.

    Returns:
        The decision, and the final predictions of the method as it is now.
    """
    after = partition_from(fitted)

    def decide() -> Guarded:
        by_share = method.asks_for_uneven_sizes
        features = functools.partial(data.prepared, "fit")
        found = compare_partitions(features, started["fit"], after["fit"], seed, by_share)
        return Guarded("start" if found.second_is_worse else "fit", found, by_share)

    guarded = broadcast_from_rank_zero(decide)
    if guarded.kept == "fit":
        return guarded, fitted
    with torch.no_grad():
        method.load_state_dict(start)
    return guarded, predict_all(method, data)
