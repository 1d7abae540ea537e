"""Compose the config of one candidate of method=auto, and refuse settings that belong to a single method."""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence

from omegaconf import DictConfig

from deepcluster_pl.config.compose import compose_recipe
from deepcluster_pl.config.nodes import without_hydra
from deepcluster_pl.config.validation import check

_SHARED = (
    "seed", "n_clusters", "choose", "baselines", "map", "compile", "start_sample_size", "cache_dir",
    "checkpoint_interval", "guard", "outliers", "published", "objective", "data", "trainer", "logger",
)  # fmt: skip
"""Keys of the run that all candidates have in common; every other key is that of the candidate's recipe."""


def candidate_config(cfg: DictConfig, overrides: Sequence[str], pretrained: str | None) -> DictConfig:
    """Return the config of one candidate: its own recipe, on the data and with the machine of the run.

    Args:
        cfg: config of the run, in which `n_clusters` is a number.
        overrides: the candidate's recipe, such as `method=dec`, and its fixed settings.
        pretrained: checkpoint of a pretraining that another candidate finished, or what the run's `pretrained` says.

    Returns:
        The checked config.

    Raises:
        UserError: settings of the run do not go together with this recipe.
    """
    candidate = copy.deepcopy(_recipe(tuple(overrides)))
    own = {text.partition("=")[0] for text in overrides}
    for key in (key for key in _SHARED if key in cfg and key not in own):
        candidate._set_item_impl(key, copy.deepcopy(cfg._get_node(key)))
    candidate.pretrained = pretrained
    check(candidate)
    return candidate


def with_net_of(cfg: DictConfig, overrides: Sequence[str]) -> DictConfig:
    """Return the config of the run with the net of a candidate, which is measured and not trained.

    Args:
        cfg: config of the run.
        overrides: the candidate's recipe.
    """
    changed = copy.deepcopy(cfg)
    changed._set_item_impl("net", copy.deepcopy(_recipe(tuple(overrides))._get_node("net")))
    return changed


@functools.lru_cache(maxsize=64)
def _recipe(overrides: tuple[str, ...]) -> DictConfig:
    """Compose a shipped recipe; the same one is composed once in a process."""
    return without_hydra(compose_recipe(overrides))
