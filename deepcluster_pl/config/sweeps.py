"""Find out what makes a command line a sweep: typed values, an experiment that sweeps by itself, or a search."""

from __future__ import annotations

from collections.abc import Sequence

from omegaconf import DictConfig, OmegaConf

from deepcluster_pl.config.compose import Composition, compose_checked
from deepcluster_pl.config.typed import parse


def sweeps_by_itself(arguments: Sequence[str], config_dir: str | None = None) -> bool:
    """Return whether several values were typed for an experiment that is a sweep already, so that `-m` is implied.

    Args:
        arguments: overrides as typed, paths quoted.
        config_dir: a folder of further recipes, or None.
    """
    parsed = [override for argument in arguments if (override := parse(argument, [])) is not None]
    if not any(override.is_sweep_override() for override in parsed):
        return False
    single = [str(override.input_line) for override in parsed if not override.is_sweep_override()]
    return _is_sweep(compose_checked(single, False, config_dir).cfg)


def own_sweep(cfg: DictConfig | None, typed: Sequence[str], multirun: bool = False) -> tuple[list[str], list[str]]:
    """Return the values that an experiment sweeps over by itself (`hydra.mode: MULTIRUN`), unless they were typed.

    Args:
        cfg: the composed config with Hydra's own node, or None.
        typed: overrides.
        multirun: whether `-m` was typed.

    Returns:
        The sweep's overrides, and overrides to add to the command line, so that typed values win.
    """
    if cfg is None or not _is_sweep(cfg):
        return [], []
    parameters = dict(cfg.hydra.sweeper.get("params") or {})
    taken = [key for key in parameters if any(text.startswith(f"{key}=") for text in typed)]
    left = [f"{key}={value}" for key, value in parameters.items() if key not in taken]
    added = [f"~hydra.sweeper.params.{key}" for key in taken]
    return left, added if left or multirun else [*added, "hydra.mode=RUN"]


def search_direction(composition: Composition, typed: Sequence[str]) -> list[str]:
    """Return the override that makes a search look for the best `objective.metric`.

    Args:
        composition: gets one more problem where the other direction was typed.
        typed: overrides.

    Returns:
        One override; none where no sweeper searches, or a direction was typed.
    """
    cfg, key = composition.cfg, "hydra.sweeper.direction"
    if cfg is None or OmegaConf.select(cfg, key) is None:
        return []
    right = "minimize" if cfg.objective.metric == "davies_bouldin" else "maximize"
    given = [text.partition("=")[2] for text in typed if text.startswith(f"{key}=")]
    if given and given[-1] != right:
        composition.problems.append(f"{key}={given[-1]} looks for the worst {cfg.objective.metric}; type {key}={right}")
    return [] if given else [f"{key}={right}"]


def _is_sweep(cfg: DictConfig | None) -> bool:
    """Return whether a config makes its run a sweep."""
    return cfg is not None and str(cfg.hydra.mode) == "RunMode.MULTIRUN"
