"""State the types of the config's own keys, those that belong to no constructor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Interval

from deepcluster_pl.utils.ranges import Count, PositiveFloat


@dataclass
class RunSchema:
    """Top level of the config."""

    seed: Annotated[int, Interval(ge=0, le=2**32 - 1)]
    n_clusters: Count | Literal["auto"]
    choose: Any
    baselines: Literal["auto", "full", "none"]
    map: Literal["pca", "umap"]
    pretrained: str | None
    resume: str | None
    ckpt_path: str | None
    cache_dir: str
    checkpoint_interval: PositiveFloat
    published: dict[str, Any] | None
    objective: Any
    data: Any
    net: Any
    pretrain: Any
    start: Any
    compile: bool
    start_sample_size: Count | None
    whiten: PositiveFloat | None
    augment: Any
    fit: Any
    callbacks: Any
    trainer: Any
    logger: Any
    method: Any
    guard: bool = False  # of runs that began before there was one


@dataclass
class PretrainSchema:
    """The pretraining stage."""

    max_epochs: Count
    batch_size: Count
    shuffle: bool
    optimizer: Any
    module: Any
    callbacks: Any


@dataclass
class FitSchema:
    """The fine-tuning stage."""

    max_steps: Count
    batch_size: Count
    shuffle: bool
    optimizer: Any


@dataclass
class ObjectiveSchema:
    """The number that a run returns to a sweeper."""

    metric: Literal["silhouette", "davies_bouldin", "size_entropy", "acc", "nmi", "nmi_geometric", "ari", "purity"]
    uses_labels: bool


SCHEMAS: dict[str, Callable[..., Any]] = {
    "": RunSchema,
    "pretrain": PretrainSchema,
    "fit": FitSchema,
    "objective": ObjectiveSchema,
}
"""By the path of the node."""
