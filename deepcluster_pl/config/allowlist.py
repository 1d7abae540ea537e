"""Allow only the code that a trusted recipe names: a shipped one, or one in a folder that was typed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from deepcluster_pl.config.recipes import conf_dir
from deepcluster_pl.errors import UserError

_TARGET = re.compile(r"""_target_["']?\s*:\s*["']?([\w.]+)""")
_INTERPOLATION = re.compile(r"(?<!\\)(?:\\\\)*\$\{([^:}]*)(:?)")
"""The name in each interpolation, and the colon after it where it is a resolver's; an odd backslash makes it text."""
_HYDRAS = ("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir", "hydra.mode", "hydra.verbose")
_PLUGINS = ("hydra.launcher.", "hydra.sweeper.")
_COMMANDS = ("_target_", "_args_", "setup", "python", "srun_args", "additional_parameters")
"""Keys of a launcher whose values are code, or words of a shell's command line."""
_OWN = "write it into a recipe of your own, and type --config-dir <its folder>"


@dataclass(frozen=True)
class Allowed:
    """The code that configs may call.

    Attributes:
        targets: dotted names that may stand behind `_target_`.
        resolvers: names of OmegaConf resolvers, such as `now` in `${now:%Y}`.
    """

    targets: frozenset[str]
    resolvers: frozenset[str]


def allowed_by(folders: Iterable[Path] = ()) -> Allowed:
    """Return the code that the shipped recipes name, and those in further folders."""
    texts = [file.read_text(encoding="utf-8") for folder in (conf_dir(), *folders) for file in folder.rglob("*.yaml")]
    return Allowed(
        frozenset(name for text in texts for name in _TARGET.findall(text)),
        frozenset(name for text in texts for name in _resolvers(text)),
    )


def check_allowed(cfg: DictConfig, allowed: Allowed) -> None:
    """Refuse a config that would call code no trusted recipe names. Nothing has been resolved or imported by then.

    Args:
        cfg: the config.
        allowed: result of `allowed_by`.

    Raises:
        UserError: with a line for each such name.
    """
    lines = foreign_code(cfg, allowed)
    if lines:
        raise UserError("\n".join(lines))


def foreign_code(cfg: DictConfig, allowed: Allowed) -> list[str]:
    """Return a line for every resolver and every `_target_` in a config that no trusted recipe names.

    Args:
        cfg: the config. Hydra's own node is left to `refused_key` and `foreign_resolvers`.
        allowed: result of `allowed_by`.
    """
    nodes = [(str(key), cfg._get_node(key)) for key in cfg if key != "hydra"]
    # Resolvers come first: with none of them left, looking at a value runs nothing
    lines = [line for key, node in nodes for line in _foreign_resolvers(node, key, allowed)]
    if lines:
        return lines
    named = [pair for key, node in nodes for pair in _targets(node, key)]
    return [f"{key}: {name} is in no recipe; {_OWN}" for key, name in named if name not in allowed.targets]


def foreign_resolvers(text: str, allowed: Allowed) -> list[str]:
    """Return the resolvers in a typed text that no trusted recipe names.

    >>> foreign_resolvers("hydra.run.dir=${oc.env:HOME}/${now:%Y}", allowed_by())
    ['oc.env']
    """
    return [name for name in _resolvers(text) if name not in allowed.resolvers]


def refused_key(key: str, value: Any = None) -> str:
    """Return why a key of Hydra's own node may not be typed: most of them can load code, or words for a shell.

    Args:
        key: as typed, such as `hydra.run.dir`.
        value: as Hydra reads it. A launcher's and a sweeper's settings are numbers and texts.

    Returns:
        The reason, or an empty string.

    >>> refused_key("hydra.run.dir"), refused_key("hydra.callbacks.x").partition(";")[0]
    ('', 'hydra.callbacks.x cannot be set on the command line')
    """
    if key != "hydra" and not key.startswith("hydra."):
        return ""
    parts = {part for part in re.split(r"[.\[\]]", key) if part}
    is_setting = key.startswith(_PLUGINS) and not parts & set(_COMMANDS) and not isinstance(value, dict | list)
    return "" if key in _HYDRAS or is_setting else f"{key} cannot be set on the command line; {_OWN}"


def _resolvers(text: str) -> Iterator[str]:
    """Yield the name of every resolver in a text; `$` stands for a name that is itself an interpolation."""
    for name, colon in _INTERPOLATION.findall(text):
        if "$" in name:
            yield "$"
        elif colon:
            yield name.strip()


def _foreign_resolvers(node: Any, path: str, allowed: Allowed) -> Iterator[str]:
    """Yield a line for every foreign resolver in the keys and the unresolved values of a node."""
    content = node._value() if node is not None else None
    if isinstance(content, str):
        for name in foreign_resolvers(content, allowed):
            yield f"{path}: the resolver {name} is in no recipe; {_OWN}"
    elif isinstance(content, dict | list):
        for key, child in content.items() if isinstance(content, dict) else enumerate(content):
            for name in foreign_resolvers(str(key), allowed):
                yield f"{path}: the resolver {name} in a key is in no recipe; {_OWN}"
            yield from _foreign_resolvers(child, f"{path}.{key}", allowed)


def _targets(node: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the name of every `_target_` below a node."""
    if not OmegaConf.is_config(node) or node._is_none() or node._is_missing() or node._is_interpolation():
        return  # an interpolation is checked at the node that it refers to
    for key in range(len(node)) if OmegaConf.is_list(node) else list(node):
        if key == "_target_":
            yield f"{path}._target_", str(node[key])
        else:
            yield from _targets(node._get_node(key), f"{path}.{key}")
