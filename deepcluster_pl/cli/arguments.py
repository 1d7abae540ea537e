"""Read the words of a subcommand: one parser, and settings of the form key=value."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from deepcluster_pl.errors import UserError


class Parser(argparse.ArgumentParser):
    """An argparse parser whose errors are `UserError`s of one line, and whose texts keep their line breaks."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": argparse.RawDescriptionHelpFormatter, "allow_abbrev": False, **options})

    def error(self, message: str) -> NoReturn:
        """Raise `UserError` with argparse's message and where help is."""
        raise UserError(f"{message}; {self.prog} --help lists what there is")


def unknown_command(word: str, commands: Sequence[str]) -> UserError:
    """Return the error for a word that is neither a subcommand nor a setting.

    >>> str(unknown_command("predcit", ["run", "predict"]))
    "'predcit' is no subcommand; did you mean predict? Settings have the form key=value"
    """
    near = difflib.get_close_matches(word.lower(), commands, n=1)
    hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(commands)}."
    return UserError(f"{word!r} is no subcommand; {hint} Settings have the form key=value")


def split_settings(words: Sequence[str], defaults: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Separate a subcommand's own settings from those of the data.

    Args:
        words: as typed, each `key=value`.
        defaults: the subcommand's keys and their defaults.

    Returns:
        The subcommand's settings, and what was typed as `data=` and `data.<key>=`.

    Raises:
        UserError: a word is neither.

    >>> split_settings(["run=a b", "data.path=x.npy"], {"run": "", "to": ""})
    ({'run': 'a b', 'to': ''}, ['data.path=x.npy'])
    """
    own, of_data = dict(defaults), []
    for word in words:
        key, equals, value = word.partition("=")
        if key in own and equals:
            own[key] = value
        elif equals and (key == "data" or key.startswith("data.")):
            of_data.append(word)
        else:
            near = difflib.get_close_matches(key, list(own), n=1)
            expected = f"expected {'=, '.join(own)}=, data=<source>, data.<key>=<value>"
            raise UserError(f"{word}: {f'did you mean {near[0]}=?' if near and equals else expected}")
    return own, of_data


def run_with_model(typed: str) -> Path:
    """Return a run folder that holds a model; raise `UserError` for any other."""
    if not typed:
        raise UserError("run= is missing; type run=<folder of a finished run>")
    folder = Path(typed).expanduser()
    if not (folder / "model" / "model.json").is_file():
        raise UserError(f"run={typed}: found no model/model.json there; type run=<folder of a finished run>")
    return folder


def new_file(typed: str, default: Path) -> Path:
    """Return the path of a file that is to be written; raise `UserError` where there is one already.

    Args:
        typed: as typed for `to=`, or empty.
        default: path where nothing was typed.

    Returns:
        A path at which nothing exists.
    """
    path = Path(typed).expanduser() if typed else default
    if path.exists():
        raise UserError(f"to={path} exists and is not overwritten; type to=<a new name>")
    return path
