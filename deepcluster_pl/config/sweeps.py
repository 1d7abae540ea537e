"""What makes a command line a sweep: values that were typed, an experiment that sweeps by itself, a search."""

from __future__ import annotations

from collections.abc import Sequence

from omegaconf import DictConfig, OmegaConf

from deepcluster_pl.config.compose import Composition, compose_checked, parse


def sweeps_by_itself(arguments: Sequence[str], config_dir: str | None = None) -> bool:
    """Whether several values were typed for an experiment that is a sweep already, so that `-m` says nothing new."""
    parsed = [override for argument in arguments if (override := parse(argument, [])) is not None]
    if not any(override.is_sweep_override() for override in parsed):
        return False
    plain = [str(override.input_line) for override in parsed if not override.is_sweep_override()]
    cfg = compose_checked(plain, False, config_dir).cfg
    return cfg is not None and str(cfg.hydra.mode) == "RunMode.MULTIRUN"


def own_sweep(cfg: DictConfig | None, typed: Sequence[str], multirun: bool = False) -> tuple[list[str], list[str]]:
    """What an experiment sweeps by itself (`hydra.mode: MULTIRUN`), less what the user typed.

    Returns:
        The sweep's overrides, and what has to be added to the command line so that what was typed wins.
    """
    if cfg is None or str(cfg.hydra.mode) != "RunMode.MULTIRUN":
        return [], []
    parameters = dict(cfg.hydra.sweeper.get("params") or {})
    taken = [key for key in parameters if any(text.startswith(f"{key}=") for text in typed)]
    left = [f"{key}={value}" for key, value in parameters.items() if key not in taken]
    added = [f"~hydra.sweeper.params.{key}" for key in taken]
    return left, added if left or multirun else [*added, "hydra.mode=RUN"]


def search_direction(composition: Composition, typed: Sequence[str]) -> list[str]:
    """The direction that `objective.metric` is searched in, where a sweeper searches and none was typed.

    What was typed the other way round becomes a problem of the composition.
    """
    cfg, key = composition.cfg, "hydra.sweeper.direction"
    if cfg is None or OmegaConf.select(cfg, key) is None:
        return []
    right = "minimize" if cfg.objective.metric == "davies_bouldin" else "maximize"
    given = [text.partition("=")[2] for text in typed if text.startswith(f"{key}=")]
    if given and given[-1] != right:
        composition.problems.append(f"{key}={given[-1]} looks for the worst {cfg.objective.metric}; type {key}={right}")
    return [] if given else [f"{key}={right}"]
