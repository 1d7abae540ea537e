"""State the types of the config's own keys, those that belong to no constructor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Ge, Interval

from deepcluster_pl.utils.ranges import Count, PositiveFloat
from deepcluster_pl.utils.run_folder import MOST_ROUNDS


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
    auto: Any = None
    guard: bool = False  # of runs that began before there was one
    student: Any = None
    outliers: Annotated[float, Interval(gt=0, le=0.5)] | Literal["auto", "none"] = "none"
    table_error: Literal["mixed", "squared"] = "squared"  # of runs that began before it was a choice


@dataclass
class PretrainSchema:
    """The pretraining stage."""

    max_epochs: Count
    batch_size: Count
    shuffle: bool
    optimizer: Any
    module: Any
    callbacks: Any
    least_steps: Count | None = None
    least_steps_per_epoch: Count | None = None


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


@dataclass
class AutoSchema:
    """The work of method=auto."""

    budget: Literal["quick", "normal", "thorough"]
    candidates: list[str] | None


@dataclass
class StudentSchema:
    """The student's stage."""

    rounds: Annotated[int, Interval(ge=1, le=MOST_ROUNDS)]
    kept: Annotated[float, Interval(gt=0, le=1)]
    n_neighbors: Count
    batch_size: Annotated[int, Ge(2)]
    passes: Count
    least_steps: Count
    most_steps: Count
    net: Any
    method: Any
    callbacks: Any
    distortions: Literal["neighbors", "fixed"] = "fixed"


SCHEMAS: dict[str, Callable[..., Any]] = {
    "": RunSchema,
    "pretrain": PretrainSchema,
    "fit": FitSchema,
    "objective": ObjectiveSchema,
    "auto": AutoSchema,
    "student": StudentSchema,
}
"""By the path of the node."""
