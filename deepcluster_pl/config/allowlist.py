"""Whose code a config may name: that of the shipped recipes, and of recipes in a folder that the person named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from deepcluster_pl.config.recipes import conf_dir
from deepcluster_pl.errors import UserError

_TARGET = re.compile(r"""_target_["']?\s*:\s*["']?([\w.]+)""")
_HYDRAS = ("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir", "hydra.mode", "hydra.verbose")
_PLUGINS = ("hydra.launcher.", "hydra.sweeper.")
_COMMANDS = ("_target_", "_args_", "setup", "python", "srun_args", "additional_parameters")
"""Keys of a launcher whose values are code, or words of a shell's command line."""
_OWN = "write it into a recipe of your own, and type --config-dir <its folder>"


def trusted_targets(folders: Iterable[Path] = ()) -> frozenset[str]:
    """Every `_target_` that the shipped recipes name, and those below further folders."""
    files = [file for folder in (conf_dir(), *folders) for file in folder.rglob("*.yaml")]
    return frozenset(name for file in files for name in _TARGET.findall(file.read_text(encoding="utf-8")))


def check_targets(cfg: DictConfig, trusted: frozenset[str]) -> None:
    """Raise `UserError` where a config would call what no trusted recipe does; nothing has been imported by then."""
    found = untrusted(cfg, trusted)
    if found:
        raise UserError("\n".join(found))


def untrusted(cfg: DictConfig, trusted: frozenset[str]) -> list[str]:
    """One line for every `_target_` that no recipe names; Hydra's own node is left to `refused_key`."""
    nodes = ((key, cfg._get_node(key)) for key in cfg if key != "hydra")
    found = [pair for key, node in nodes for pair in _targets(node, str(key))]
    return [f"{key}: {name} is in no recipe; {_OWN}" for key, name in found if name not in trusted]


def refused_key(key: str) -> str:
    """Why an override of Hydra's own settings is refused, or nothing: most can load code, or words for a shell."""
    if not key.startswith("hydra."):
        return ""
    last = [part for part in re.split(r"[.\[\]]", key) if part]
    if key in _HYDRAS or (key.startswith(_PLUGINS) and not set(last) & set(_COMMANDS)):
        return ""
    return f"{key} cannot be set on the command line; {_OWN}"


def _targets(node: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every `_target_` below a node, interpolations resolved."""
    if not OmegaConf.is_config(node) or node._is_none() or node._is_missing() or node._is_interpolation():
        return  # an interpolation is looked at where it points to
    for key in range(len(node)) if OmegaConf.is_list(node) else list(node):
        if key == "_target_":
            yield f"{path}._target_", str(node[key])
        else:
            yield from _targets(node._get_node(key), f"{path}.{key}")
