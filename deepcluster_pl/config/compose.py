"""What the user typed after the command: paths quoted for Hydra's grammar, and every mistake found at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override, Transformer
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from deepcluster_pl.config.allowlist import refused_key
from deepcluster_pl.config.recipes import conf_dir, groups, options

_HYDRA_GROUPS = ("hydra/launcher", "hydra/sweeper", "hydra/sweeper/sampler")


@dataclass
class Composition:
    """The config that overrides lead to, and what is wrong with them.

    Attributes:
        problems: one line each.
        cfg: the composed config with Hydra's own node, if it could be composed; of a sweep, its first job.
        variants: configs that differ from the first in one override, one for every further value of a sweep.
    """

    problems: list[str] = field(default_factory=list)
    cfg: DictConfig | None = None
    variants: list[tuple[str, DictConfig]] = field(default_factory=list)


def compose_checked(arguments: Sequence[str], multirun: bool = False, config_dir: str | None = None) -> Composition:
    """Compose the config without those overrides that name no group, option or key, and say which they were."""
    result = Composition()
    folders = [Path(config_dir).expanduser().resolve()] if config_dir else []
    for folder in folders:
        if not folder.is_dir():
            result.problems.append(f"--config-dir {config_dir}: no such folder")
            return result
    parsed = [override for argument in arguments if (override := parse(argument, result.problems)) is not None]
    if not multirun:
        for override in parsed:
            if override.is_sweep_override():
                text = f"{override.input_line}: several values are a sweep; add -m, or quote the value"
                result.problems.append(text)
        parsed = [override for override in parsed if not override.is_sweep_override()]
    chosen = [override for override in parsed if _is_group(override) and _options_exist(override, folders, result)]
    base = _compose([_first(override) for override in chosen], folders, result)
    if base is None:
        return result
    values = [override for override in parsed if not _is_group(override) and _key_exists(override, base, result)]
    kept = [*chosen, *values]
    result.cfg = _compose([_first(override) for override in kept], folders, result)
    if result.cfg is None:
        return result
    for override in kept:
        others = [_first(other) for other in kept if other is not override]
        for text in _elements(override)[1:]:
            if _is_group(override):
                variant = _compose([*others, text], folders, result)
            else:
                variant = result.cfg.copy()
                value = OverridesParser.create().parse_override(text).value()
                OmegaConf.update(variant, str(override.key_or_group), value, merge=False, force_add=True)
            if variant is not None:
                result.variants.append((text, variant))
    return result


def parse(argument: str, problems: list[str]) -> Override | None:
    """An override as Hydra reads it; None, and a problem more, where it cannot."""
    try:
        return OverridesParser.create().parse_override(argument)
    except HydraException:
        problems.append(f"{argument!r} cannot be read; expected key=value (quote values that hold ,[]{{}}()= )")
        return None


def _is_group(override: Override) -> bool:
    """Whether an override chooses a file: of a known group, of one given another place, or of Hydra's."""
    return _group_key(override) in groups() or bool(override.package) or "/" in str(override.key_or_group)


def _group_key(override: Override) -> str:
    return f"{override.key_or_group}@{override.package}" if override.package else str(override.key_or_group)


def _options_exist(override: Override, folders: list[Path], result: Composition) -> bool:
    group = _group_key(override)
    if override.is_delete():
        return True
    wanted = [text.partition("=")[2] for text in _elements(override)]
    if group.startswith("hydra/"):
        wrong = [name for name in wanted if group not in _HYDRA_GROUPS or not re.fullmatch(r"\w+", name)]
        result.problems += [f"{group}={name} cannot be chosen on the command line" for name in wrong]
        return not wrong
    known = options(group, folders)
    wrong = [name for name in wanted if name not in known]
    for name in wrong:
        result.problems.append(f"{group}={name}: no such option; {closest_match(name, known)}")
    return not wrong


def _key_exists(override: Override, cfg: DictConfig, result: Composition) -> bool:
    key = str(override.key_or_group)
    if refused := refused_key(key):
        result.problems.append(refused)
        return False
    if override.is_add() or override.is_force_add() or override.is_delete() or key.startswith("hydra."):
        return True
    if key in _all_keys(cfg):
        return True
    if _opens_into_null(key, cfg):
        return True
    parent = key.rpartition(".")[0]
    siblings = [name for name in _all_keys(cfg) if name.rpartition(".")[0] == parent and "._" not in name]
    if parent and parent in _all_keys(cfg):
        hint = closest_match(key, siblings) if siblings else f"{parent} has no keys in this recipe"
    else:
        hint = closest_match(key, [*_all_keys(cfg), *groups()])
    result.problems.append(f"{_group_key(override)}: no such key or group; {hint}")
    return False


def _opens_into_null(key: str, cfg: DictConfig) -> bool:
    """Whether a key lies below a node that this recipe leaves out, such as pretrain.module of k-means."""
    parts = key.split(".")
    return any(OmegaConf.select(cfg, ".".join(parts[:i]), default=0) is None for i in range(1, len(parts)))


def _all_keys(node: Any, prefix: str = "") -> list[str]:
    if not OmegaConf.is_dict(node):
        return []
    found = []
    for key in node:
        name = f"{prefix}{key}"
        if name == "hydra":
            continue
        found.append(name)
        if not OmegaConf.is_missing(node, key) and not OmegaConf.is_interpolation(node, key):
            found += _all_keys(node[key], f"{name}.")
    return found


def _elements(override: Override) -> list[str]:
    """The override once for each value of a sweep that can be listed."""
    if not override.is_sweep_override() or override.is_interval_sweep():
        return [str(override.input_line)]
    value: Any = override.value()
    if isinstance(value, Glob):
        return [f"{_group_key(override)}={name}" for name in value.filter(options(_group_key(override)))]
    sign = "++" if override.is_force_add() else "+" if override.is_add() else ""
    texts = override.sweep_iterator(transformer=Transformer.encode)
    return [f"{sign}{_group_key(override)}={text}" for text in texts]


def _first(override: Override) -> str:
    if override.is_interval_sweep():
        return f"{_group_key(override)}={override.value().start}"  # type: ignore[union-attr]
    return _elements(override)[0]


def _compose(overrides: list[str], folders: list[Path], result: Composition) -> DictConfig | None:
    search = [f"hydra.searchpath=[{','.join(f'file://{folder}' for folder in folders)}]"] if folders else []
    saved = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf_dir()), version_base="1.3", job_name="deepcluster_pl"):
            return compose("config", overrides=[*overrides, *search], return_hydra_config=True)
    except Exception as error:  # Hydra has many; OmegaConf, and the parser behind it, have their own
        lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        extra = "; type pip install 'deepcluster_pl[sweep]'" if "Could not find 'hydra/" in lines[0] else ""
        result.problems.append(f"{lines[0]}{extra}")
        return None
    finally:
        GlobalHydra.instance().clear()
        GlobalHydra.instance().hydra = saved


def closest_match(name: str, choices: Sequence[str]) -> str:
    """A hint: the nearest choice, or all of a few.

    >>> closest_match("methd", ["method", "data"]), closest_match("zzz", ["a", "b"])
    ('did you mean method?', 'choose from a, b')
    """
    leaf = {choice.rpartition(".")[2]: choice for choice in reversed(choices)}
    close = difflib.get_close_matches(name, list(choices), n=1) or [
        leaf[found] for found in difflib.get_close_matches(name.rpartition(".")[2], list(leaf), n=1)
    ]
    if close:
        return f"did you mean {close[0]}?"
    return f"choose from {', '.join(sorted(choices))}" if len(choices) <= 20 else "--help lists what there is"
