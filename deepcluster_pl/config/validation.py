"""Check that a composed config agrees with the constructors that it names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from torch import nn

from deepcluster_pl.config.annotations import arguments, mismatch
from deepcluster_pl.config.hints import closest_match
from deepcluster_pl.config.nodes import without_hydra
from deepcluster_pl.config.schemas import SCHEMAS
from deepcluster_pl.config.trainer_arguments import NARROWER, OWN, SET_BY_THE_RUN, refusal
from deepcluster_pl.errors import UserError, first_line
from deepcluster_pl.evaluation.metrics import LABEL_SCORES
from deepcluster_pl.methods.initialization.n_clusters import AUTO

_SET_BY_THE_RUN: dict[str, set[str]] = {
    "net": {"input_shape"},
    "method": {"net"},
    "pretrain.module": {"net"},
    "student.net": {"input_shape"},
    "student.method": {"net"},
    "trainer": set(SET_BY_THE_RUN),
}
"""Arguments that a config may not set, by the path of the node."""


def check(cfg: DictConfig) -> None:
    """Raise one `UserError` with every problem, where the config and the constructors disagree."""
    lines = problems(cfg)
    if lines:
        raise UserError("\n".join(lines))


def problems(cfg: DictConfig) -> list[str]:
    """Return a line for every key that no constructor takes, that is missing, or that has a wrong value.

    Choices that cannot go together are looked for only where every value is right by itself.
    """
    cfg = without_hydra(cfg)
    try:
        OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        return [f"{error.full_key or 'config'}: {first_line(error)}"]
    nodes = list(_nodes(cfg))
    optimizers = [(path, node) for path, node in nodes if path.endswith("optimizer")]
    return (
        [line for path, node in nodes for line in _check_node(path, node)]
        or [line for path, node in optimizers for line in _try_optimizer(path, node)]
        or _contradictions(cfg)
    )


def _contradictions(cfg: DictConfig) -> list[str]:
    """Return a line for each pair of choices that are right by themselves and cannot go together."""
    lines = []
    method = get_object(cfg.method._target_)
    learns = bool(getattr(method, "learns", False))
    has_weights = not cfg.net._target_.endswith(".Identity")
    callbacks = cfg.callbacks or {}
    if cfg.n_clusters == AUTO and cfg.data.get("n_centers") == AUTO:
        lines.append("n_clusters=auto finds the groups that are there, and these are made up; type data.n_centers=5")
    if not has_weights and cfg.pretrain.module is not None:
        lines.append("net=identity has no weights to pretrain; add pretrain=none, or choose net=mlp_autoencoder")
    if not has_weights and learns:
        lines.append(f"net=identity has no weights for method={cfg.method.name}; choose net=mlp_autoencoder")
    # Whitening, and some methods, change the last layer of the encoder, which then has to be linear
    if cfg.whiten is not None and (not has_weights or cfg.net.get("code_activation")):
        instead = "net.code_activation=null" if has_weights else "choose net=mlp_autoencoder"
        lines.append(f"whiten={cfg.whiten} needs a linear embedding; type whiten=null, or {instead}")
    if cfg.net.get("code_activation") and getattr(method, "needs_linear_code", False):
        lines.append(f"method={cfg.method.name} needs a linear embedding; type net.code_activation=null")
    if callbacks.get("weight_reset") and not getattr(method, "clusters_are_centers", True):
        lines.append(
            f"callbacks=brb finds new centers, and method={cfg.method.name} is more than centers; type "
            f"callbacks=refresh, or choose method=dec, idec, dcn or dkm"
        )
    if learns and callbacks.get("target_refresh") is None:
        lines.append(f"method={cfg.method.name} needs a refresh every few steps; add callbacks=refresh")
    # Products of bf16 are faster still, and gradients that add up come from steps without an optimizer
    if cfg.trainer.get("matmul") == "tf32":
        unlike = {"precision": "mixed" in str(cfg.trainer.get("precision")),
                  "accumulate_grad_batches": cfg.trainer.get("accumulate_grad_batches", 1) > 1}  # fmt: skip
        for key in (key for key, holds in unlike.items() if holds):
            found = f"trainer.{key}={cfg.trainer[key]}"
            lines.append(f"trainer.matmul=tf32 does not go with {found}; type trainer.matmul=ieee")
    # A fused optimizer unscales gradients by itself, after Lightning would have to clip them
    if cfg.trainer.get("gradient_clip_val") and "mixed" in str(cfg.trainer.get("precision")):
        owners = {"pretrain": cfg.pretrain, "fit": cfg.fit}
        if cfg.get("student") is not None:
            owners["student.method"] = cfg.student.method
        fused = [f"{name}.optimizer.fused=false" for name, node in owners.items() if node.optimizer.get("fused")]
        if fused:
            lines.append(f"trainer.gradient_clip_val with mixed precision needs {' '.join(fused)}")
    if not lines and cfg.objective.metric in LABEL_SCORES and not cfg.objective.uses_labels:
        lines.append(f"objective.metric={cfg.objective.metric} is measured with labels; add objective.uses_labels=true")
    return lines


def _nodes(node: Any, path: str = "") -> Iterator[tuple[str, DictConfig]]:
    """Yield every node that has a schema or a constructor, and its path, from the top down."""
    if OmegaConf.is_dict(node) and ("_target_" in node or path in SCHEMAS):
        yield path, node
    if OmegaConf.is_config(node):
        for key in range(len(node)) if OmegaConf.is_list(node) else list(node):
            if OmegaConf.is_interpolation(node, key):
                continue  # it is checked at the node that it refers to
            yield from _nodes(node[key], f"{path}.{key!s}".strip("."))


def _check_node(path: str, node: DictConfig) -> Iterator[str]:
    """Compare a node's keys and values with the signature of what it stands for."""
    try:
        target = SCHEMAS.get(path) or get_object(node["_target_"])
    except Exception:
        yield f"{path}._target_: {node['_target_']} cannot be imported"
        return
    set_by_the_run = _SET_BY_THE_RUN.get(path, set())
    hints, required, takes_any = arguments(target)
    if path == "trainer":
        hints |= {name: hint for name, hint in NARROWER.items() if name in hints} | OWN
    for key in node:
        name = str(key)
        where = f"{path}.{name}".strip(".")
        if name.startswith("_") and name.endswith("_"):
            continue
        if name in set_by_the_run:
            yield f"{where}: {(path == 'trainer' and refusal(name)) or 'the run sets this itself'}"
        elif name in hints:
            expected = "" if OmegaConf.is_interpolation(node, name) else mismatch(node[key], hints[name])
            if expected:
                yield f"{where}: found {node[key]!r}, expected {expected}"
        elif not takes_any:
            yield f"{where}: no such key; {closest_match(name, sorted(hints.keys() - set_by_the_run))}"
    if not node.get("_partial_"):
        for name in sorted(required - set_by_the_run - {str(key) for key in node}):
            yield f"{path}.{name}".strip(".") + ": is missing"


def _try_optimizer(path: str, node: DictConfig) -> Iterator[str]:
    """Make an optimizer of a single weight, since optimizers check ranges only when they are made."""
    try:
        instantiate(node)(nn.Linear(1, 1).parameters())
    except Exception as error:
        yield f"{path}: {str(error).splitlines()[-1]}"
