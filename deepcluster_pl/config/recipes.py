"""Where the recipes are, and which groups and options there are to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf


def conf_dir() -> Path:
    """The folder of recipes: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def groups() -> dict[str, str]:
    """Each group a command line may set, such as `method` or `optimizer@fit.optimizer`, with its default."""
    entries: Any = OmegaConf.to_container(OmegaConf.load(conf_dir() / "config.yaml"))["defaults"]  # type: ignore[index,call-overload]
    pairs: dict[str, Any] = {k: v for entry in entries if isinstance(entry, dict) for k, v in entry.items()}
    return {k: v for k, v in pairs.items() if not k.startswith("override ")}


def options(group: str, folders: Sequence[Path] = ()) -> list[str]:
    """Names that a group can be set to, in the shipped recipes and in further folders."""
    name = group.partition("@")[0]
    found: set[str] = set()
    for folder in (conf_dir(), *folders):
        root = folder / name
        found |= {
            path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.yaml") if path.name[0] != "_"
        }
    return sorted(found)
