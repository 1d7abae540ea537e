"""Check of the options that a data source is made with: none unknown, none missing."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Collection, Mapping

from deepcluster_pl.errors import UserError


def check_options(source: type, given: Mapping[str, object], common: Collection[str]) -> None:
    """Raise `UserError` where the common options of a source are not exactly those there are.

    Args:
        source: class of the source; its constructor names its own options.
        given: common options as the constructor received them, by name.
        common: names of all common options.
    """
    unknown = [name for name in given if name not in common]
    if unknown:
        parameters = inspect.signature(source).parameters.values()
        own = [parameter.name for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD]
        close = difflib.get_close_matches(unknown[0], [*own, *common], n=1)
        hint = f"did you mean {close[0]}?" if close else f"choose from {', '.join([*own, *common])}"
        raise UserError(f"data.{unknown[0]}: {source.__name__} has no such option; {hint}")
    missing = [name for name in common if name not in given]
    if missing:
        raise UserError(f"{source.__name__} lacks the option{'s' * (len(missing) > 1)} {', '.join(missing)}")
