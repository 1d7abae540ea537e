"""Check that the groups, options and keys which an override names exist, and say the nearest that do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from deepcluster_pl.config.allowlist import refused_key
from deepcluster_pl.config.hints import closest_match, sources_with
from deepcluster_pl.config.recipes import all_keys, groups, options
from deepcluster_pl.config.trainer_arguments import refusal
from deepcluster_pl.config.typed import group_key, names_of

_HYDRA_GROUPS = ("hydra/launcher", "hydra/sweeper", "hydra/sweeper/sampler")


def options_exist(override: Override, folders: list[Path], problems: list[str]) -> bool:
    """Check the names that an override gives to a group."""
    group = group_key(override)
    if override.is_delete():
        return True
    wanted = names_of(override)
    if group.startswith("hydra/"):
        wrong = [name for name in wanted if group not in _HYDRA_GROUPS or not re.fullmatch(r"\w+", name)]
        problems += [f"{group}={name} cannot be chosen on the command line" for name in wrong]
        return not wrong
    known = options(group, folders)
    wrong = [name for name in wanted if name not in known]
    for name in wrong:
        problems.append(f"{group}={name}: no such option; {closest_match(name, known, f'{group}=')}")
    return not wrong


def key_exists(override: Override, cfg: DictConfig, folders: list[Path], problems: list[str]) -> bool:
    """Check the key that an override sets."""
    key = str(override.key_or_group)
    parent, _, name = key.rpartition(".")
    known = all_keys(cfg)
    if reason := refused_key(key, None if override.is_delete() else override.value()):
        problems.append(reason)
    elif parent == "trainer" and refusal(name):
        problems.append(f"{key}: {refusal(name)}")
    elif override.is_add() and _is_taken(override, cfg):
        problems.append(f"{override.input_line}: this recipe has {key}; leave out the +")
    elif not _needs_no_key(override) and key not in known and not _opens_into_null(key, cfg):
        problems.append(f"{group_key(override)}: {_unknown(key, cfg, folders)}")
    else:
        return True
    return False


def source_of(parsed: Sequence[Override], base: DictConfig, folders: list[Path]) -> str:
    """Return `data=<source>` if no source was chosen, and only one source has the keys that the default one lacks."""
    keys = {str(override.key_or_group) for override in parsed if not override.is_add() and not override.is_delete()}
    unknown = {key for key in keys if key.startswith("data.")} - set(all_keys(base))
    if not unknown or "data" in keys or base.hydra.runtime.choices.data != groups()["data"]:
        return ""
    sources = sources_with([key for key in keys if key.startswith("data.")], folders)
    return f"data={sources[0]}" if len(sources) == 1 else ""


def _needs_no_key(override: Override) -> bool:
    """Return True for an override that adds or deletes a key, or sets one of Hydra's own, which Hydra checks."""
    own = str(override.key_or_group).startswith("hydra.")
    return own or override.is_add() or override.is_force_add() or override.is_delete()


def _is_taken(override: Override, cfg: DictConfig) -> bool:
    """Return True for a key that Hydra refuses to add: it has a value, which is not merged with the new one."""
    value = OmegaConf.select(cfg, str(override.key_or_group), throw_on_resolution_failure=False)
    return value is not None and not isinstance(override.value(), dict | list)


def _unknown(key: str, cfg: DictConfig, folders: list[Path]) -> str:
    """Return the message for a key that does not exist, with the nearest one that does."""
    known = all_keys(cfg)
    parent = key.rpartition(".")[0]
    if key.partition(".")[0] == "auto":
        return f"no such key with method={cfg.method.name}; type method=auto with it"
    if parent.startswith("data") and (sources := sources_with([key], folders)):
        return f"no such key with data={cfg.hydra.runtime.choices.data}; choose data={' or '.join(sources)}"
    if not parent or parent not in known:
        return f"no such key or group; {closest_match(key, [*known, *groups()])}"
    siblings = [name for name in known if name.rpartition(".")[0] == parent and "._" not in name]
    hint = closest_match(key, siblings) if siblings else f"{parent} has no keys in this recipe"
    return f"no such key or group; {hint}"


def _opens_into_null(key: str, cfg: DictConfig) -> bool:
    """Return True for a key below a node that this recipe leaves out, such as pretrain.module of k-means."""
    parts = key.split(".")
    return any(OmegaConf.select(cfg, ".".join(parts[:i]), default=0) is None for i in range(1, len(parts)))
