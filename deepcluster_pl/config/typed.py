"""One override as typed: does it parse, what does it choose, and which values does it sweep over?"""

from __future__ import annotations

from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override, Transformer
from hydra.errors import HydraException

from deepcluster_pl.config.recipes import groups, options


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


def is_group(override: Override) -> bool:
    """Return True for an override that chooses a file: of a known group, of a group in another place, or of Hydra's."""
    return group_key(override) in groups() or bool(override.package) or "/" in str(override.key_or_group)


def group_key(override: Override) -> str:
    """Return the key of an override, with the place where its group is put."""
    return f"{override.key_or_group}@{override.package}" if override.package else str(override.key_or_group)


def names_of(override: Override) -> list[str]:
    """Return the options that an override of a group names."""
    return [text.partition("=")[2] for text in elements(override)]


def elements(override: Override) -> list[str]:
    """Return the override once for each value of a sweep that can be listed."""
    if not override.is_sweep_override() or override.is_interval_sweep():
        return [str(override.input_line)]
    value: Any = override.value()
    if isinstance(value, Glob):
        return [f"{group_key(override)}={name}" for name in value.filter(options(group_key(override)))]
    sign = "++" if override.is_force_add() else "+" if override.is_add() else ""
    texts = override.sweep_iterator(transformer=Transformer.encode)
    return [f"{sign}{group_key(override)}={text}" for text in texts]


def first_value(override: Override) -> str:
    """Return the override with the first value of its sweep."""
    if override.is_interval_sweep():
        return f"{group_key(override)}={override.value().start}"  # type: ignore[union-attr]
    return elements(override)[0]
