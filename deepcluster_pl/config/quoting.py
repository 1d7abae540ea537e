"""Quote the paths that were typed, so that Hydra's grammar reads each of them as one value."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

PATH_KEYS = (
    "data.root",
    "data.path",
    "data.csv",
    "data.features.weights",
    "ckpt_path",
    "pretrained",
    "resume",
    "cache_dir",
)
_FOLDER_KEYS = ("hydra.run.dir", "hydra.sweep.dir")
"""Paths that may hold interpolations."""
_KEYWORDS = ("", "null", "auto")
_PLAIN_PATH = re.compile(r"[A-Za-z_./][\w.-]*(/[\w.-]*)+|[A-Za-z_]\w*(\.[A-Za-z]\w*)+", re.ASCII)


def quote_paths(arguments: Sequence[str], multirun: bool = False) -> list[str]:
    """Quote the values of path options, so that spaces, commas, quotes and brackets reach the file system.

    Args:
        arguments: overrides as typed.
        multirun: whether a comma may separate several paths of a sweep.

    Returns:
        The same overrides, with paths that Hydra reads as they were typed and with `~` expanded.

    >>> quote_paths(["data.path=my pics (1)/a,b.csv", "data.root=/home/ada/Pictures", "data.path=table.csv", "seed=1"])
    ["data.path='my pics (1)/a,b.csv'", 'data.root=/home/ada/Pictures', 'data.path=table.csv', 'seed=1']
    """
    return [_quote(argument, multirun) for argument in arguments]


def make_paths_absolute(cfg: DictConfig, cwd: Path) -> None:
    """Make the relative paths of a config absolute, in place, so that it means the same from any folder.

    Args:
        cfg: the config.
        cwd: folder that its relative paths are relative to.
    """
    for key in PATH_KEYS:
        value = OmegaConf.select(cfg, key)
        if isinstance(value, str) and value not in _KEYWORDS:
            path = (cwd / Path(value).expanduser()).absolute()
            OmegaConf.update(cfg, key, re.sub(r"(\\*)\$\{", lambda m: m[1] * 2 + "\\${", str(path)))


def _quote(argument: str, multirun: bool) -> str:
    """Quote one override if its key takes a path."""
    match = re.fullmatch(r"(\+{0,2})([\w./@-]+)=(.*)", argument, re.DOTALL)
    if match is None or match[2] not in (*PATH_KEYS, *_FOLDER_KEYS):
        return argument
    sign, key, value = match.groups()
    if value in _KEYWORDS or re.fullmatch(r"(['\"]).*\1", value, re.DOTALL):
        return argument
    if multirun and "," in value and not Path(value).expanduser().exists():
        return argument  # a sweep over several paths
    value = os.path.expanduser(value)
    if _PLAIN_PATH.fullmatch(value):
        return f"{sign}{key}={value}"  # Hydra reads nothing into it, and the stored override stays readable
    # Inside single quotes, Hydra reads backslashes before a quote, before ${ and at the end
    if key in PATH_KEYS:
        value = re.sub(r"(\\*)\$\{", lambda m: m[1] * 2 + "\\${", value)
    value = re.sub(r"(\\*)'", lambda m: m[1] * 2 + "\\'", value)
    value = re.sub(r"(\\+)$", lambda m: m[1] * 2, value)
    return f"{sign}{key}='{value}'"
