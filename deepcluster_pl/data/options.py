"""Options that all data sources have, and checks of options: none unknown, none missing, each path a file."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

from deepcluster_pl.data.residency import Residency
from deepcluster_pl.data.scaling import Scale
from deepcluster_pl.data.split import Split, Subset
from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.ranges import NonNegativeInt, OpenShare


class CommonOptions(TypedDict):
    """Options that every source takes beside its own.

    Attributes:
        name: name of the data in the run folder and in tables.
        subset: the samples that are used at all.
        holdout: share of them that is only ever scored.
        split: rule by which the held-out part is chosen.
        seed: seed of the split.
        scale: `unit` maps each feature to 0 ... 1, `standard` to mean 0 and variance 1, both measured on the fitted
            part; `none` leaves them as they are (bytes are divided by 255 in any case).
        num_workers: number of processes that load batches; 0 loads in the training process.
        residency: place of the samples during a run: on its `device`, in the `host`'s memory, or on `disk` if the
            source is memory-mapped; `auto` chooses the first that they fit into.
    """

    name: str
    subset: Subset
    holdout: OpenShare
    split: Split
    seed: NonNegativeInt
    scale: Scale
    num_workers: NonNegativeInt
    residency: Residency


def check_options(source: type, given: Mapping[str, object]) -> None:
    """Raise `UserError` where the common options of a source are not exactly those there are.

    Args:
        source: class of the source; its constructor names its own options.
        given: common options as the constructor received them, by name.
    """
    common = list(CommonOptions.__annotations__)
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


def existing_file(path: str | None, option: str) -> Path:
    """Return the file that an option names.

    Args:
        path: value of the option.
        option: its name, for the error.

    Raises:
        UserError: the option is empty, or names no file.
    """
    if not path:
        raise UserError(f"{option} is missing; type {option}=<file>")
    file = Path(path).expanduser()
    if not file.is_file():
        raise UserError(f"{option}={path}: {'a folder' if file.is_dir() else 'no such file'}, expected a file")
    return file
