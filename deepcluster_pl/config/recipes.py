"""Find the recipes: their folder, their groups, and the options and keys of each group."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf


def conf_dir() -> Path:
    """Return the folder of recipes: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


@functools.cache
def groups() -> dict[str, str]:
    """Return the groups that a command line may set, such as `method` or `optimizer@fit.optimizer`, with defaults."""
    entries: Any = OmegaConf.to_container(OmegaConf.load(conf_dir() / "config.yaml"))["defaults"]  # type: ignore[index,call-overload]
    pairs: dict[str, Any] = {k: v for entry in entries if isinstance(entry, dict) for k, v in entry.items()}
    return {k: v for k, v in pairs.items() if not k.startswith("override ")}


def options(group: str, folders: Sequence[Path] = ()) -> list[str]:
    """Return the names that a group can be set to.

    Args:
        group: such as `method` or `optimizer@fit.optimizer`.
        folders: further folders of recipes.
    """
    name = group.partition("@")[0]
    found: set[str] = set()
    for folder in (conf_dir(), *folders):
        root = folder / name
        found |= {
            path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.yaml") if path.name[0] != "_"
        }
    return sorted(found)


def keys_of_option(group: str, option: str, folders: Sequence[Path] = ()) -> set[str]:
    """Return the dotted keys that an option spells, those of the files in its own folder that it builds on included.

    Args:
        group: such as `data`.
        option: such as `array`.
        folders: further folders of recipes.

    >>> sorted(keys_of_option("augment", "affine"))[:2]
    ['augment._target_', 'augment.fill']
    """
    files = [folder / group / f"{option}.yaml" for folder in (conf_dir(), *folders)]
    node: Any = next((OmegaConf.load(file) for file in files if file.is_file()), OmegaConf.create())
    parents = [name for name in node.pop("defaults", []) if isinstance(name, str) and name != "_self_"]
    return {*all_keys(node, f"{group}."), *(key for name in parents for key in keys_of_option(group, name, folders))}


def all_keys(node: Any, prefix: str = "") -> list[str]:
    """Return the dotted keys below a node of a config, those of groups included, Hydra's own left out.

    Args:
        node: any value; one that is no dictionary has no keys.
        prefix: put before each key.
    """
    if not OmegaConf.is_dict(node):
        return []
    found = []
    for key in node:
        name = f"{prefix}{key}"
        if name == "hydra":
            continue
        found.append(name)
        if not OmegaConf.is_missing(node, key) and not OmegaConf.is_interpolation(node, key):
            found += all_keys(node[key], f"{name}.")
    return found


def option_of_method(name: str) -> str:
    """Return the option of the group `method` whose recipe has a name; the name itself where no shipped one has.

    >>> option_of_method("da_dec"), option_of_method("dec")
    ('da/dec', 'dec')
    """
    for option in options("method"):
        recipe = OmegaConf.load(conf_dir() / "method" / f"{option}.yaml")
        if OmegaConf.select(recipe, "method.name") == name:
            return option
    return name
