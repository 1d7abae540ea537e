"""Whether a composed config agrees with the constructors it names."""

from __future__ import annotations

import copy
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Interval
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from torch import nn

from deepcluster_pl.config.annotations import arguments, mismatch
from deepcluster_pl.config.hints import closest_match
from deepcluster_pl.config.trainer_arguments import NARROWER, SET_BY_THE_RUN, refusal
from deepcluster_pl.errors import UserError
from deepcluster_pl.evaluation.metrics import LABEL_SCORES
from deepcluster_pl.methods.initialization.n_clusters import AUTO
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
    """What a sweeper sees."""

    metric: Literal["silhouette", "davies_bouldin", "size_entropy", "acc", "nmi", "nmi_geometric", "ari", "purity"]
    uses_labels: bool


_SCHEMAS: dict[str, Callable[..., Any]] = {
    "": RunSchema,
    "pretrain": PretrainSchema,
    "fit": FitSchema,
    "objective": ObjectiveSchema,
}
# Arguments that the run itself supplies; a config may not.
_SUPPLIED: dict[str, set[str]] = {
    "net": {"input_shape"},
    "method": {"net"},
    "pretrain.module": {"net"},
    "trainer": set(SET_BY_THE_RUN),
}


def plain(node: DictConfig) -> dict[str, Any]:
    """A config node as dictionaries, lists and values, interpolations resolved."""
    return typing.cast(dict[str, Any], OmegaConf.to_container(node, resolve=True))


def without_hydra(cfg: DictConfig) -> DictConfig:
    """The config as a job sees it."""
    return OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "hydra"])


def with_number(cfg: DictConfig, n_clusters: int) -> DictConfig:
    """The same config with another number of clusters, wherever it refers to that."""
    other = copy.deepcopy(cfg)
    other.n_clusters = n_clusters
    return other


def check(cfg: DictConfig) -> None:
    """Raise `UserError`, all problems at once, where the config and the constructors disagree."""
    found = problems(cfg)
    if found:
        raise UserError("\n".join(found))


def problems(cfg: DictConfig) -> list[str]:
    """One line for every key that no constructor takes, that is missing, or that has a wrong value."""
    cfg = without_hydra(cfg)
    try:
        OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        return [f"{error.full_key or 'config'}: {str(error).splitlines()[0]}"]
    found = [line for path, node in _nodes(cfg) for line in _disagreements(path, node)]
    if not found:
        found = [
            line for path, node in _nodes(cfg) if path.endswith("optimizer") for line in _try_optimizer(path, node)
        ]
    if not found:
        found = _at_odds(cfg)
    if not found and cfg.objective.metric in LABEL_SCORES and not cfg.objective.uses_labels:
        return [f"objective.metric={cfg.objective.metric} is measured with labels; add objective.uses_labels=true"]
    return found


def _at_odds(cfg: DictConfig) -> list[str]:
    """Choices that are sound alone and cannot go together."""
    found = []
    trains_nothing = cfg.net._target_.endswith(".Identity")
    method = get_object(cfg.method._target_)
    learns = bool(getattr(method, "learns", False))
    if cfg.n_clusters == AUTO and cfg.data.get("n_centers") == AUTO:
        found.append("n_clusters=auto finds the groups that are there, and these are made up; type data.n_centers=5")
    if trains_nothing and cfg.pretrain.module is not None:
        found.append("net=identity has no weights to pretrain; add pretrain=none, or choose net=mlp_autoencoder")
    if trains_nothing and learns:
        found.append(f"net=identity has no weights for method={cfg.method.name}; choose net=mlp_autoencoder")
    if cfg.whiten is not None and (trains_nothing or cfg.net.get("code_activation")):
        instead = "choose net=mlp_autoencoder" if trains_nothing else "net.code_activation=null"
        found.append(f"whiten={cfg.whiten} needs a linear code; type whiten=null, or {instead}")
    if cfg.net.get("code_activation") and getattr(method, "needs_linear_code", False):
        found.append(f"method={cfg.method.name} needs a linear code; type net.code_activation=null")
    if (cfg.callbacks or {}).get("weight_reset") and not getattr(method, "clusters_are_centers", True):
        found.append(
            f"callbacks=brb finds new centers, and method={cfg.method.name} is more than centers; type "
            f"callbacks=refresh, or choose method=dec, idec, dcn or dkm"
        )
    if learns and (cfg.callbacks or {}).get("target_refresh") is None:
        found.append(f"method={cfg.method.name} needs a look at all samples now and then; add callbacks=refresh")
    if cfg.trainer.get("gradient_clip_val") and "mixed" in str(cfg.trainer.get("precision")):
        fused = [f"{stage}.optimizer.fused=false" for stage in ("pretrain", "fit") if cfg[stage].optimizer.get("fused")]
        if fused:
            found.append(f"trainer.gradient_clip_val with mixed precision needs {' '.join(fused)}")
    return found


def _nodes(node: Any, path: str = "") -> Iterator[tuple[str, DictConfig]]:
    """Every node that has a schema, from the top down."""
    if OmegaConf.is_dict(node) and ("_target_" in node or path in _SCHEMAS):
        yield path, node
    if OmegaConf.is_config(node):
        for key in range(len(node)) if OmegaConf.is_list(node) else list(node):
            if OmegaConf.is_interpolation(node, key):
                continue  # checked where it stands
            yield from _nodes(node[key], f"{path}.{key!s}".strip("."))


def _disagreements(path: str, node: DictConfig) -> Iterator[str]:
    try:
        target = _SCHEMAS.get(path) or get_object(node["_target_"])
    except Exception:
        yield f"{path}._target_: {node['_target_']} cannot be imported"
        return
    supplied = _SUPPLIED.get(path, set())
    hints, required, takes_any = arguments(target)
    if path == "trainer":
        hints |= {name: hint for name, hint in NARROWER.items() if name in hints}
    for key in node:
        name = str(key)
        where = f"{path}.{name}".strip(".")
        if name.startswith("_") and name.endswith("_"):
            continue
        if name in supplied:
            yield f"{where}: {(path == 'trainer' and refusal(name)) or 'the run sets this itself'}"
        elif name in hints:
            wrong = "" if OmegaConf.is_interpolation(node, name) else mismatch(node[key], hints[name])
            if wrong:
                yield f"{where}: found {node[key]!r}, expected {wrong}"
        elif not takes_any:
            yield f"{where}: no such key; {closest_match(name, sorted(hints.keys() - supplied))}"
    if not node.get("_partial_"):
        for name in sorted(required - supplied - {str(key) for key in node}):
            yield f"{path}.{name}".strip(".") + ": is missing"


def _try_optimizer(path: str, node: DictConfig) -> Iterator[str]:
    """Optimizers check ranges when made: make one for a single weight."""
    try:
        instantiate(node)(nn.Linear(1, 1).parameters())
    except Exception as error:
        yield f"{path}: {str(error).splitlines()[-1]}"
