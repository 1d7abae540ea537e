"""The command `deepcluster organize`: put a photo library's pictures into folders of their groups, months or places.

    deepcluster organize run=<folder> to=<folder>                 print what would be done
    deepcluster organize run=<folder> to=<folder> apply=true      do it
    deepcluster organize undo=<folder> [apply=true]               remove the placed files

Originals are never moved or changed, and no existing file is overwritten. Placed files are listed in
<to>/organized.jsonl, which `undo=` and a repeated command read.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple, cast, get_args

from deepcluster_pl.errors import UserError
from deepcluster_pl.organize.choices import Choices, read_choices
from deepcluster_pl.organize.levels import LevelName, at_level
from deepcluster_pl.organize.library import check_originals_below, check_target_outside, run_library
from deepcluster_pl.organize.paths import MANIFEST_NAME
from deepcluster_pl.organize.placement import Mode, check_free_space, place_all
from deepcluster_pl.organize.plan import By, Picture, folder_for, read_pictures
from deepcluster_pl.organize.undo import undo_all
from deepcluster_pl.utils.locking import folder_lock

_SUMMARY = "put a photo library's pictures into folders of their groups, months or places"
_DESCRIPTION = """\
Put a photo library's pictures into folders of their groups, months or places.
Originals are never moved or changed, and no existing file is overwritten: a name that is taken gets a number.

examples
  deepcluster organize run=<folder> to=<folder>                       print what would be done
  deepcluster organize run=<folder> to=<folder> apply=true            do it
  deepcluster organize run=<folder> to=<folder> by=month mode=symlink
  deepcluster organize undo=<folder> apply=true                       remove the placed files

settings
  run=<folder>                  run folder of a finished run on a folder of pictures
  to=<folder>                   target folder, outside the library
  mode=copy|symlink|hardlink    default: copy
  by=cluster|month|place        default: cluster
  level=coarse|chosen|fine      coarser or finer groups; default: the level that was saved in the gallery, else chosen
  gallery=<file>                names, merges and marks saved in gallery.html; default: <run>/gallery.json if it exists
  undo=<folder>                 target folder whose placed files are to be removed
  apply=true|false              default: false, which only prints

Placed files are listed in <to>/organized.jsonl, and the same command resumes after an interruption. undo= removes
listed files that are unchanged, while their originals exist."""
_DEFAULTS = {
    "run": "", "to": "", "undo": "", "mode": "copy", "by": "cluster", "level": "", "gallery": "", "apply": "false",
}  # fmt: skip
_ALLOWED = {
    "mode": get_args(Mode), "by": get_args(By), "level": ("", *get_args(LevelName)), "apply": ("true", "false"),
}  # fmt: skip
_MOST_FAILURES = 10


class Settings(NamedTuple):
    """The typed settings, with defaults filled in.

    Attributes:
        run: run folder, or empty.
        to: target folder, or empty.
        undo: target folder of an earlier command, or empty.
        mode: copies, or links of either kind.
        by: name folders after groups, months or places.
        level: of the groups; empty takes the one that the gallery's choices were saved at.
        gallery: file of saved choices; empty takes the run folder's, if there is one.
        apply: False only prints.
    """

    run: str
    to: str
    undo: str
    mode: Mode
    by: By
    level: str
    gallery: str
    apply: bool


class Outcome(NamedTuple):
    """Lines to print, and the reason of each file that could not be placed or removed, by its path."""

    lines: list[str]
    failed: dict[str, str]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `organize` to the command line."""
    parser = subparsers.add_parser(
        "organize",
        help=_SUMMARY,
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("settings", nargs="*", metavar="key=value", help="settings as listed above")
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    """Print what would be done, or do it; return exit code 1 if some file failed.

    Raises:
        UserError: a setting is wrong, or nothing can be done.
    """
    settings = parse_settings(options.settings)
    outcome = undo(settings) if settings.undo else organize(settings)
    print("\n".join(_printable(line) for line in outcome.lines))
    for path, reason in list(outcome.failed.items())[:_MOST_FAILURES]:
        print(_printable(f"{path}: {reason}"), file=sys.stderr)
    if len(outcome.failed) > _MOST_FAILURES:
        print(f"and {len(outcome.failed) - _MOST_FAILURES} more", file=sys.stderr)
    return int(bool(outcome.failed))


def parse_settings(arguments: Sequence[str]) -> Settings:
    """Return the settings among `key=value` arguments, defaults filled in.

    Raises:
        UserError: a key or value is unknown, or a setting is missing.

    >>> parse_settings(["undo=sorted", "apply=true"]).apply
    True
    """
    typed = dict(_DEFAULTS)
    for text in arguments:
        key, has_value, value = text.partition("=")
        if key not in typed or not has_value:
            raise UserError(f"{text}: expected {'=, '.join(_DEFAULTS)}=")
        if key in _ALLOWED and value not in _ALLOWED[key]:
            raise UserError(f"{text}: expected {key}={' or '.join(filter(None, _ALLOWED[key]))}")
        typed[key] = value
    if typed["undo"] and (typed["run"] or typed["to"]):
        raise UserError("undo= removes the files placed in one folder; leave out run= and to=")
    for key in () if typed["undo"] else ("run", "to"):
        if not typed[key]:
            raise UserError(f"{key}= is missing; deepcluster organize --help lists the settings")
    mode, by = cast(Mode, typed["mode"]), cast(By, typed["by"])
    run, to, undo, level, gallery = (typed[key] for key in ("run", "to", "undo", "level", "gallery"))
    return Settings(run, to, undo, mode, by, level, gallery, typed["apply"] == "true")


def organize(settings: Settings) -> Outcome:
    """Place a run's pictures in folders below the target, or only list these folders.

    Raises:
        UserError: the run, its library, the choices or the target cannot be used.
    """
    run, target = Path(settings.run).expanduser(), Path(settings.to).expanduser().absolute()
    library = run_library(run)
    root = library.root
    pictures = read_pictures(run)
    pictures, choices = at_level(run, pictures, _saved_choices(settings, run, pictures), settings.level)
    if not root.is_dir():
        raise UserError(f"the pictures of this run were in {root}, which does not exist")
    if target.exists() and not target.is_dir():
        raise UserError(f"to={target} is a file; type to=<a folder>")
    wanted = [(root / picture.name, folder_for(picture, settings.by, choices)) for picture in pictures]
    counts = Counter(folder for _, folder in wanted)
    if not library.follows_links:
        check_originals_below(root, [source for source, _ in wanted])
    check_target_outside(target, counts, root, {source.parent for source, _ in wanted})
    lines = [f"{count:7,}  {folder}" for folder, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]
    has_choices = choices != Choices(level=choices.level)
    source = "with the choices saved in the gallery" if has_choices else "without choices from the gallery"
    if not settings.apply:
        how = f"{settings.mode}, by {settings.by}, from {root}, {source}"
        lines.append(f"{len(wanted):,} files would be placed in {target} ({how})")
        return Outcome([*lines, "nothing was done; type apply=true to do it"], {})
    print(_printable(f"{len(wanted):,} files are being placed in {target}"), flush=True)
    with folder_lock(target, holds_run=False):
        if settings.mode == "copy":
            check_free_space(target, wanted)
        result = place_all(wanted, target, settings.mode)
    kept = f", {result.kept:,} were already there" if result.kept else ""
    lines.append(f"{result.placed:,} of {len(wanted):,} files placed in {target} ({source}){kept}")
    return Outcome([*lines, f"to undo it: deepcluster organize undo={_shell_word(target)}"], result.failed)


def undo(settings: Settings) -> Outcome:
    """Remove the files that an earlier command placed in a folder, or only count them.

    Raises:
        UserError: the folder holds no list of placed files, or a damaged one.
    """
    target = Path(settings.undo).expanduser().absolute()
    if not (target / MANIFEST_NAME).is_file():
        raise UserError(f"undo={target}: found no {MANIFEST_NAME} there, so nothing was placed by this command")
    with folder_lock(target, holds_run=False) if settings.apply else nullcontext():
        result = undo_all(target, settings.apply)
    absent = f", {result.absent:,} were already gone" if result.absent else ""
    kept = f", {len(result.kept):,} are not removed" if result.kept else ""
    if settings.apply:
        return Outcome([f"{result.removed:,} files removed{absent}{kept}"], result.kept)
    line = f"{result.removed:,} files would be removed{absent}{kept}; type apply=true to do it"
    return Outcome([line], result.kept)


def _saved_choices(settings: Settings, run: Path, pictures: Sequence[Picture]) -> Choices:
    """Return the gallery's choices from the typed file, else from the run folder, else none."""
    from deepcluster_pl.reporting.gallery.digest import partition_digest

    path = Path(settings.gallery).expanduser() if settings.gallery else run / "gallery.json"
    if not settings.gallery and not path.is_file():
        return Choices()
    digest = partition_digest((picture.name for picture in pictures), (picture.cluster for picture in pictures))
    return read_choices(path, digest)


def _printable(text: str) -> str:
    """Return a text whose unprintable characters, such as line ends in file names, are escaped."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape", "replace").decode() for sign in text)


def _shell_word(path: Path) -> str:
    """Return a path quoted so that a shell reads it as it is; only Bash and zsh read unprintable characters.

    >>> _shell_word(Path("/a b")), _shell_word(Path("/a'\\n"))
    ("'/a b'", "$'/a\\\\'\\\\x0a'")
    """
    text = str(path)
    if text.isprintable():
        return shlex.quote(text)
    signs = (
        ("\\" + sign if sign in "\\'" else sign) if sign.isprintable()
        else "".join(f"\\x{byte:02x}" for byte in sign.encode("utf-8", "surrogateescape"))
        for sign in text
    )  # fmt: skip
    return f"$'{''.join(signs)}'"
