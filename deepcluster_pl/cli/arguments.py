"""Parse the words of a subcommand: flags, and settings of the form key=value."""

from __future__ import annotations

import argparse
import difflib
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from deepcluster_pl.errors import UserError


class Parser(argparse.ArgumentParser):
    """Parser of argparse that raises its errors as `UserError`s of one line, and leaves line breaks in its texts."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": argparse.RawDescriptionHelpFormatter, "allow_abbrev": False, **options})

    def error(self, message: str) -> NoReturn:
        """Raise `UserError` with the message of argparse, and the command that prints help."""
        raise UserError(f"{message}; {self.prog} --help lists what there is")


def unknown_command(word: str, commands: Sequence[str]) -> UserError:
    """Return the error for a word that is neither a subcommand nor a setting.

    Args:
        word: the word as typed.
        commands: all subcommands.

    Returns:
        The error, with the nearest subcommand.

    >>> str(unknown_command("predcit", ["run", "predict"]))
    "'predcit' is no subcommand; did you mean predict? Settings have the form key=value"
    """
    near = difflib.get_close_matches(word.lower(), commands, n=1)
    hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(commands)}."
    return UserError(f"{word!r} is no subcommand; {hint} Settings have the form key=value")


def split_settings(words: Sequence[str], defaults: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Separate a subcommand's own settings from those of the data.

    Args:
        words: the words as typed, each `key=value`.
        defaults: the subcommand's keys and their defaults.

    Returns:
        The subcommand's settings, and the words `data=` and `data.<key>=`.

    Raises:
        UserError: a word is neither.

    >>> split_settings(["run=a b", "data.path=x.npy"], {"run": "", "to": ""})
    ({'run': 'a b', 'to': ''}, ['data.path=x.npy'])
    """
    settings, of_data = dict(defaults), []
    for word in words:
        key, equals, value = word.partition("=")
        if key in settings and equals:
            settings[key] = value
        elif equals and (key == "data" or key.startswith("data.")):
            of_data.append(word)
        else:
            near = difflib.get_close_matches(key, list(settings), n=1)
            expected = f"expected {'=, '.join(settings)}=, data=<source>, data.<key>=<value>"
            raise UserError(f"{word}: {f'did you mean {near[0]}=?' if near and equals else expected}")
    return settings, of_data


def run_with_model(typed: str) -> Path:
    """Return a run folder that holds a model; raise `UserError` for any other."""
    if not typed:
        raise UserError("run= is missing; type run=<folder of a finished run>")
    folder = Path(typed).expanduser()
    if not (folder / "model" / "model.json").is_file():
        raise UserError(f"run={typed}: found no model/model.json there; type run=<folder of a finished run>")
    return folder


def new_file(typed: str, default: Path, beside: Callable[[Path], Path] | None = None) -> Path:
    """Return the path of a file or folder to write, and check everything that will be written.

    Args:
        typed: the value of `to=`, or empty.
        default: the path if nothing was typed, inside the run folder.
        beside: gives a second file that is written beside it.

    Returns:
        A path at which nothing exists, in a folder that can be written.

    Raises:
        UserError: a file exists, or its folder cannot be made or written.
    """
    path = Path(typed).expanduser() if typed else default
    if os.path.lexists(path):
        raise UserError(f"to={path} exists and is not overwritten; type to=<a new name>")
    if beside and os.path.lexists(second := beside(path)):
        raise UserError(f"to={path}: {second} exists and is not overwritten; type to=<a new name>")
    if not typed and default.parent.is_symlink():
        raise UserError(
            f"{default.parent} is a link, and links in a run folder are not written through; type to=<file>"
        )
    try:
        ancestor = next(parent for parent in path.absolute().parents if parent.exists() or parent.is_symlink())
        if not ancestor.is_dir():
            raise UserError(f"to={path} cannot be made: {ancestor} is no folder; type to=<another name>")
        with tempfile.TemporaryFile(dir=ancestor):
            pass
    except OSError as error:
        raise UserError(f"to={path} cannot be written: {error.strerror}; type to=<another name>") from error
    return path
