"""Compose a config from the command line, and find every mistake in it at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from deepcluster_pl.config.allowlist import allowed_by, foreign_resolvers
from deepcluster_pl.config.extras import overrides_of_extras
from deepcluster_pl.config.hydra_state import ask_hydra
from deepcluster_pl.config.known_names import key_exists, options_exist, source_of
from deepcluster_pl.config.single_method import refused_beside_auto
from deepcluster_pl.config.typed import elements, first_value, group_key, is_group, names_of, parse


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
    problems = result.problems
    folders = [Path(config_dir).expanduser().resolve()] if config_dir else []
    for folder in folders:
        if not folder.is_dir():
            problems.append(f"--config-dir {config_dir}: no such folder")
            return result
    # A resolver is refused in the text, since Hydra may run it while it composes
    allowed = allowed_by(folders)
    for argument in arguments:
        names = foreign_resolvers(argument, allowed)
        problems += [f"{argument}: resolver {name} is in no recipe; type the value itself" for name in names]
    arguments = [argument for argument in arguments if not foreign_resolvers(argument, allowed)]
    parsed = [override for argument in arguments if (override := parse(argument, problems)) is not None]
    if not multirun:
        for override in parsed:
            if override.is_sweep_override():
                text = f"{override.input_line}: several values are a sweep; add -m, or quote the value"
                problems.append(text)
        parsed = [override for override in parsed if not override.is_sweep_override()]
    # Groups come first, because they decide which keys there are
    chosen = [override for override in parsed if is_group(override) and options_exist(override, folders, problems)]
    base = ask_hydra([first_value(override) for override in chosen], folders, problems)
    if base is not None and (source := source_of(parsed, base, folders)):
        result.added.append(source)
        result.reasons.append(f"{source}, the only source that has the keys typed")
        chosen.insert(0, OverridesParser.create().parse_override(source))
        base = ask_hydra([first_value(override) for override in chosen], folders, problems)
    # An installed extra may choose better data; typed overrides stay
    implied = overrides_of_extras([str(override.input_line) for override in parsed])
    if implied and base is not None:
        result.added += implied
        result.reasons.append(f"{' '.join(implied)}, because the extra photos is installed")
        more = [OverridesParser.create().parse_override(text) for text in implied]
        chosen = [*(override for override in more if is_group(override)), *chosen]
        parsed = [*(override for override in more if not is_group(override)), *parsed]
        base = ask_hydra([first_value(override) for override in chosen], folders, problems)
    if base is None:
        return result
    parsed, chosen = (
        [o for o in some if not _refuse_beside_auto(o, base, parsed, problems)] for some in (parsed, chosen)
    )
    values = [
        override for override in parsed if not is_group(override) and key_exists(override, base, folders, problems)
    ]
    kept = [*chosen, *values]
    result.cfg = ask_hydra([first_value(override) for override in kept], folders, problems)
    if result.cfg is None:
        return result
    # A further value of a sweep is set into a copy, which is much quicker than to compose again
    for override in kept:
        others = [first_value(other) for other in kept if other is not override]
        for text in elements(override)[1:]:
            if is_group(override):
                variant = ask_hydra([*others, text], folders, problems)
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
    problems: list[str] = []
    cfg = ask_hydra(list(overrides), [], problems)
    if cfg is None:
        raise ValueError("; ".join(problems))
    return cfg


def _refuse_beside_auto(override: Override, base: DictConfig, typed: Sequence[Override], problems: list[str]) -> bool:
    """Return whether an override is for a single method while method=auto is chosen, which is a problem."""
    methods = [
        str(base.method.name),
        *(name for other in typed if group_key(other) == "method" for name in names_of(other)),
    ]
    text = str(override.input_line).partition("=")[2]
    reason = refused_beside_auto(group_key(override), text) if "auto" in methods else ""
    if reason and reason not in problems:
        problems.append(reason)
    return bool(reason)
