"""Copy and convert nodes of a config."""

from __future__ import annotations

import copy
import typing
from typing import Any

from omegaconf import DictConfig, OmegaConf


def to_plain(node: DictConfig) -> dict[str, Any]:
    """Convert a node to dictionaries, lists and values, with interpolations resolved."""
    return typing.cast(dict[str, Any], OmegaConf.to_container(node, resolve=True))


def without_hydra(cfg: DictConfig) -> DictConfig:
    """Return the config as a job sees it, without Hydra's own node."""
    return OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "hydra"])


def with_n_clusters(cfg: DictConfig, n_clusters: int) -> DictConfig:
    """Return a copy with another number of clusters, in every key that refers to it."""
    changed = copy.deepcopy(cfg)
    changed.n_clusters = n_clusters
    return changed


def with_augment(cfg: DictConfig, node: dict[str, Any] | None) -> DictConfig:
    """Return a copy with other distortions, in every key that refers to them.

    Args:
        cfg: the config.
        node: what `augment` shall be; None for no distortions.
    """
    changed = copy.deepcopy(cfg)
    changed.augment = node
    return changed
