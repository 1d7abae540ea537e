"""Allow only the code that a trusted recipe names: a shipped one, or one in a folder that was typed."""

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
    """Return every `_target_` that the shipped recipes name, and those in further folders."""
    files = [file for folder in (conf_dir(), *folders) for file in folder.rglob("*.yaml")]
    return frozenset(name for file in files for name in _TARGET.findall(file.read_text(encoding="utf-8")))


def check_targets(cfg: DictConfig, trusted: frozenset[str]) -> None:
    """Refuse a config that would call code no trusted recipe names; nothing has been imported by then.

    Args:
        cfg: the config.
        trusted: result of `trusted_targets`.

    Raises:
        UserError: with a line for each such `_target_`.
    """
    lines = untrusted(cfg, trusted)
    if lines:
        raise UserError("\n".join(lines))


def untrusted(cfg: DictConfig, trusted: frozenset[str]) -> list[str]:
    """Return a line for every `_target_` that no trusted recipe names.

    Args:
        cfg: the config. Hydra's own node is left to `refused_key`.
        trusted: result of `trusted_targets`.
    """
    nodes = ((key, cfg._get_node(key)) for key in cfg if key != "hydra")
    named = [pair for key, node in nodes for pair in _targets(node, str(key))]
    return [f"{key}: {name} is in no recipe; {_OWN}" for key, name in named if name not in trusted]


def refused_key(key: str) -> str:
    """Say why a key of Hydra's own node may not be typed: most of them can load code, or words for a shell.

    >>> refused_key("hydra.run.dir"), refused_key("hydra.callbacks.x").partition(";")[0]
    ('', 'hydra.callbacks.x cannot be set on the command line')
    """
    if not key.startswith("hydra."):
        return ""
    parts = {part for part in re.split(r"[.\[\]]", key) if part}
    if key in _HYDRAS or (key.startswith(_PLUGINS) and not parts & set(_COMMANDS)):
        return ""
    return f"{key} cannot be set on the command line; {_OWN}"


def _targets(node: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the name of every `_target_` below a node."""
    if not OmegaConf.is_config(node) or node._is_none() or node._is_missing() or node._is_interpolation():
        return  # an interpolation is checked at the node that it refers to
    for key in range(len(node)) if OmegaConf.is_list(node) else list(node):
        if key == "_target_":
            yield f"{path}._target_", str(node[key])
        else:
            yield from _targets(node._get_node(key), f"{path}.{key}")
