"""Compose a config from the command line, and find every mistake in it at once."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override, Transformer
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from deepcluster_pl.config.allowlist import allowed_by, foreign_resolvers, refused_key
from deepcluster_pl.config.extras import overrides_of_extras
from deepcluster_pl.config.hints import closest_match, sources_with
from deepcluster_pl.config.recipes import all_keys, conf_dir, groups, options
from deepcluster_pl.config.single_method import refused_beside_auto
from deepcluster_pl.config.trainer_arguments import refusal
from deepcluster_pl.errors import first_line

_hydra_is_one = threading.RLock()
"""Hydra has one state for the whole process, so one thread composes at a time."""
_HYDRA_GROUPS = ("hydra/launcher", "hydra/sweeper", "hydra/sweeper/sampler")


@dataclass
class Composition:
    """The config that overrides lead to, and what is wrong with them.

    Attributes:
        problems: one line for each mistake.
        cfg: the composed config with Hydra's own node, if it could be composed; the first job's where they are a sweep.
        variants: configs that differ from the first in one override, one for every further value of a sweep.
        added: overrides that were understood without being typed, such as `data=array` where `data.path=` was. Put
            them before those that were typed wherever the same config is composed again.
        reasons: lines for the user about them.
    """

    problems: list[str] = field(default_factory=list)
    cfg: DictConfig | None = None
    variants: list[tuple[str, DictConfig]] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


def compose_checked(arguments: Sequence[str], multirun: bool = False, config_dir: str | None = None) -> Composition:
    """Compose the config without those overrides that name no group, option or key, and name them.

    Args:
        arguments: overrides as typed, paths quoted.
        multirun: whether several values make a sweep.
        config_dir: a folder of further recipes, or None.

    Returns:
        The config and every problem; nothing is raised.
    """
    result = Composition()
    folders = [Path(config_dir).expanduser().resolve()] if config_dir else []
    for folder in folders:
        if not folder.is_dir():
            result.problems.append(f"--config-dir {config_dir}: no such folder")
            return result
    # A resolver is refused in the text, since Hydra may run it while it composes
    allowed = allowed_by(folders)
    for argument in arguments:
        names = foreign_resolvers(argument, allowed)
        result.problems += [f"{argument}: resolver {name} is in no recipe; type the value itself" for name in names]
    arguments = [argument for argument in arguments if not foreign_resolvers(argument, allowed)]
    parsed = [override for argument in arguments if (override := parse(argument, result.problems)) is not None]
    if not multirun:
        for override in parsed:
            if override.is_sweep_override():
                text = f"{override.input_line}: several values are a sweep; add -m, or quote the value"
                result.problems.append(text)
        parsed = [override for override in parsed if not override.is_sweep_override()]
    # Groups come first, because they decide which keys there are
    chosen = [override for override in parsed if _is_group(override) and _options_exist(override, folders, result)]
    base = _compose([_first(override) for override in chosen], folders, result)
    if base is not None and (source := _source_of(parsed, base, folders)):
        result.added.append(source)
        result.reasons.append(f"{source}, the only source that has the keys typed")
        chosen.insert(0, OverridesParser.create().parse_override(source))
        base = _compose([_first(override) for override in chosen], folders, result)
    # An installed extra may choose better data; typed overrides stay
    implied = overrides_of_extras([str(override.input_line) for override in parsed])
    if implied and base is not None:
        result.added += implied
        result.reasons.append(f"{' '.join(implied)}, because the extra photos is installed")
        more = [OverridesParser.create().parse_override(text) for text in implied]
        chosen = [*(override for override in more if _is_group(override)), *chosen]
        parsed = [*(override for override in more if not _is_group(override)), *parsed]
        base = _compose([_first(override) for override in chosen], folders, result)
    if base is None:
        return result
    parsed, chosen = (
        [o for o in some if not _refused_beside_auto(o, base, parsed, result)] for some in (parsed, chosen)
    )
    values = [
        override for override in parsed if not _is_group(override) and _key_exists(override, base, folders, result)
    ]
    kept = [*chosen, *values]
    result.cfg = _compose([_first(override) for override in kept], folders, result)
    if result.cfg is None:
        return result
    # A further value of a sweep is set into a copy, which is much quicker than to compose again
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


def compose_recipe(overrides: Sequence[str]) -> DictConfig:
    """Compose the config of a shipped recipe from overrides that are known to be right, with Hydra's own node.

    Args:
        overrides: such as `method=dec`.

    Raises:
        ValueError: they cannot be composed.
    """
    result = Composition()
    cfg = _compose(list(overrides), [], result)
    if cfg is None:
        raise ValueError("; ".join(result.problems))
    return cfg


def parse(argument: str, problems: list[str]) -> Override | None:
    """Read an override as Hydra does.

    Args:
        argument: as typed.
        problems: gets one more line where the override cannot be read.

    Returns:
        The override, or None.
    """
    try:
        return OverridesParser.create().parse_override(argument)
    except HydraException:
        problems.append(f"{argument!r} cannot be read; expected key=value (quote values that hold ,[]{{}}()= )")
        return None


def _refused_beside_auto(override: Override, base: DictConfig, typed: Sequence[Override], result: Composition) -> bool:
    """Return whether an override is for a single method while method=auto is chosen, which is a problem."""
    methods = [
        str(base.method.name),
        *(name for other in typed if _group_key(other) == "method" for name in _names(other)),
    ]
    text = str(override.input_line).partition("=")[2]
    reason = refused_beside_auto(_group_key(override), text) if "auto" in methods else ""
    if reason and reason not in result.problems:
        result.problems.append(reason)
    return bool(reason)


def _names(override: Override) -> list[str]:
    """Return the options that an override of a group names."""
    return [text.partition("=")[2] for text in _elements(override)]


def _is_group(override: Override) -> bool:
    """Return True for an override that chooses a file: of a known group, of a group in another place, or of Hydra's."""
    return _group_key(override) in groups() or bool(override.package) or "/" in str(override.key_or_group)


def _group_key(override: Override) -> str:
    return f"{override.key_or_group}@{override.package}" if override.package else str(override.key_or_group)


def _source_of(parsed: Sequence[Override], base: DictConfig, folders: list[Path]) -> str:
    """Return `data=<source>` if no source was chosen, and only one source has the keys that the default one lacks."""
    keys = {str(override.key_or_group) for override in parsed if not override.is_add() and not override.is_delete()}
    unknown = {key for key in keys if key.startswith("data.")} - set(all_keys(base))
    if not unknown or "data" in keys or base.hydra.runtime.choices.data != groups()["data"]:
        return ""
    sources = sources_with([key for key in keys if key.startswith("data.")], folders)
    return f"data={sources[0]}" if len(sources) == 1 else ""


def _options_exist(override: Override, folders: list[Path], result: Composition) -> bool:
    """Check the names that an override gives to a group."""
    group = _group_key(override)
    if override.is_delete():
        return True
    wanted = _names(override)
    if group.startswith("hydra/"):
        wrong = [name for name in wanted if group not in _HYDRA_GROUPS or not re.fullmatch(r"\w+", name)]
        result.problems += [f"{group}={name} cannot be chosen on the command line" for name in wrong]
        return not wrong
    known = options(group, folders)
    wrong = [name for name in wanted if name not in known]
    for name in wrong:
        result.problems.append(f"{group}={name}: no such option; {closest_match(name, known, f'{group}=')}")
    return not wrong


def _key_exists(override: Override, cfg: DictConfig, folders: list[Path], result: Composition) -> bool:
    """Check the key that an override sets."""
    key = str(override.key_or_group)
    parent, _, name = key.rpartition(".")
    known = all_keys(cfg)
    if reason := refused_key(key, None if override.is_delete() else override.value()):
        result.problems.append(reason)
    elif parent == "trainer" and refusal(name):
        result.problems.append(f"{key}: {refusal(name)}")
    elif override.is_add() and _is_taken(override, cfg):
        result.problems.append(f"{override.input_line}: this recipe has {key}; leave out the +")
    elif not _needs_no_key(override) and key not in known and not _opens_into_null(key, cfg):
        result.problems.append(f"{_group_key(override)}: {_unknown(key, cfg, folders)}")
    else:
        return True
    return False


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


def _elements(override: Override) -> list[str]:
    """Return the override once for each value of a sweep that can be listed."""
    if not override.is_sweep_override() or override.is_interval_sweep():
        return [str(override.input_line)]
    value: Any = override.value()
    if isinstance(value, Glob):
        return [f"{_group_key(override)}={name}" for name in value.filter(options(_group_key(override)))]
    sign = "++" if override.is_force_add() else "+" if override.is_add() else ""
    texts = override.sweep_iterator(transformer=Transformer.encode)
    return [f"{sign}{_group_key(override)}={text}" for text in texts]


def _first(override: Override) -> str:
    """Return the override with the first value of its sweep."""
    if override.is_interval_sweep():
        return f"{_group_key(override)}={override.value().start}"  # type: ignore[union-attr]
    return _elements(override)[0]


def _compose(overrides: list[str], folders: list[Path], result: Composition) -> DictConfig | None:
    """Compose with Hydra; where that fails, add a problem and return None."""
    search = [f"hydra.searchpath=[{','.join(f'file://{folder}' for folder in folders)}]"] if folders else []
    # Files of the user's may change between two calls; the shipped ones do not
    ask = _ask_hydra.__wrapped__ if folders else _ask_hydra
    with _hydra_is_one:
        try:
            return ask(conf_dir(), os.getcwd(), (*overrides, *search)).copy()
        except Exception as error:  # Hydra has many; OmegaConf, and the parser behind it, have their own
            text = first_line(error)
            extra = "; type pip install 'deepcluster_pl[sweep]'" if "Could not find 'hydra/" in text else ""
            result.problems.append(f"{text}{extra}")
            return None


@lru_cache(maxsize=16)
def _ask_hydra(conf: Path, cwd: str, overrides: tuple[str, ...]) -> DictConfig:
    """Let Hydra compose, which takes a tenth of a second; the result is copied before anything is resolved or changed.

    Args:
        conf: folder of the shipped recipes.
        cwd: the current folder, which is in the result.
        overrides: as Hydra reads them.
    """
    saved = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf), version_base="1.3", job_name="deepcluster_pl"):
            return compose("config", overrides=list(overrides), return_hydra_config=True)
    finally:
        GlobalHydra.instance().clear()
        GlobalHydra.instance().hydra = saved
