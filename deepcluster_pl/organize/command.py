"""Put a library's pictures into folders of their groups, months or places. Originals are never moved or changed.

    python -m deepcluster_pl organize run=<folder> to=<folder>                    what would be done
    python -m deepcluster_pl organize run=<folder> to=<folder> apply=true         do it
    python -m deepcluster_pl organize undo=<folder> [apply=true]                  take it back

    mode=copy|symlink|hardlink   copy
    by=cluster|month|place       cluster
    gallery=<file>               what gallery.html saved: names, groups that are one, what can go;
                                 without it, <run>/gallery.json where that is there

Nothing that exists is written over: a name that is taken gets a number. What was placed is listed in
<to>/organized.jsonl; the same command again goes on where it was stopped, and undo= removes what is listed there and
still unchanged, while its original is still there.
"""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from deepcluster_pl.errors import UserError
from deepcluster_pl.organize.choices import Choices, read_choices
from deepcluster_pl.organize.manifest import NAME, Manifest
from deepcluster_pl.organize.placement import place_all
from deepcluster_pl.organize.plan import folder_of, pictures_of
from deepcluster_pl.organize.undo import undo
from deepcluster_pl.reporting.gallery.selection import partition_digest
from deepcluster_pl.runs.folder import saved_run
from deepcluster_pl.utils.locking import folder_lock

_DEFAULTS = {"run": "", "to": "", "undo": "", "mode": "copy", "by": "cluster", "gallery": "", "apply": "false"}
_ALLOWED = {"mode": ("copy", "symlink", "hardlink"), "by": ("cluster", "month", "place"), "apply": ("true", "false")}
_LISTED = 10


def main() -> int:
    """Say what would be done, or do it; exit code 1 with a line for whatever could not be."""
    arguments = sys.argv[1:]
    if not arguments or "-h" in arguments or "--help" in arguments:
        print((__doc__ or "").strip())
        return 0
    try:
        typed = settings(arguments)
        lines, failed = take_back(typed) if typed["undo"] else organize(typed)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(_printable(line) for line in lines))
    for name, why in list(failed.items())[:_LISTED]:
        print(_printable(f"{name}: {why}"), file=sys.stderr)
    if len(failed) > _LISTED:
        print(f"and {len(failed) - _LISTED} more", file=sys.stderr)
    return int(bool(failed))


def settings(arguments: Sequence[str]) -> dict[str, str]:
    """What was typed, defaults filled in; `UserError` for anything else."""
    found = dict(_DEFAULTS)
    for text in arguments:
        key, has_value, value = text.partition("=")
        if key not in found or not has_value:
            raise UserError(f"{text}: expected {'=, '.join(_DEFAULTS)}=")
        if key in _ALLOWED and value not in _ALLOWED[key]:
            raise UserError(f"{text}: expected {key}={' or '.join(_ALLOWED[key])}")
        found[key] = value
    if found["undo"] and (found["run"] or found["to"]):
        raise UserError("undo= takes back what lies in one folder; leave out run= and to=")
    for key in () if found["undo"] else ("run", "to"):
        if not found[key]:
            raise UserError(f"{key}= is missing; --help says what to type")
    return found


def organize(typed: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """What to say, and each file that could not be placed."""
    run, target = Path(typed["run"]).expanduser(), Path(typed["to"]).expanduser().absolute()
    saved = saved_run(run) if (run / "config").is_dir() else None
    if saved is None or "root" not in saved.cfg.data:
        raise UserError(f"run={run}: found no run on a folder of pictures; type run=<the folder of such a run>")
    root = (saved.cwd / Path(str(saved.cfg.data.root)).expanduser()).resolve()
    pictures = pictures_of(run)
    digest = partition_digest((one.name for one in pictures), (one.cluster for one in pictures))
    file = Path(typed["gallery"]).expanduser() if typed["gallery"] else run / "gallery.json"
    choices = read_choices(file, digest) if typed["gallery"] or file.is_file() else Choices()
    if not root.is_dir():
        raise UserError(f"the pictures of this run lay in {root}, which is not there")
    if target.exists() and not target.is_dir():
        raise UserError(f"to={target} is a file; type to=<a folder>")
    if root in (real := target.resolve(), *real.parents):
        raise UserError(f"to={target} lies in the library itself, {root}; type to=<a folder outside it>")
    wanted = [(root / one.name, folder_of(one, typed["by"], choices)) for one in pictures]  # type: ignore[arg-type]
    counts = Counter(folder for _, folder in wanted)
    for folder in counts:
        if root in (real := (target / folder).resolve(), *real.parents):
            raise UserError(f"{target / folder} would lie in the library itself, {root}; type to=<another folder>")
    lines = [f"{count:7,}  {folder}" for folder, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]
    told = "from the gallery's choices" if choices != Choices() else "without choices of a gallery"
    if typed["apply"] == "false":
        return [
            *lines, f"{len(wanted):,} files would be placed in {target} ({typed['mode']}, by {typed['by']}, {told})",
            "nothing was done; type apply=true to do it",
        ], {}  # fmt: skip
    with folder_lock(target):
        if typed["mode"] == "copy":
            check_room(target, wanted)
        result = place_all(wanted, target, typed["mode"])  # type: ignore[arg-type]
    kept = f", {result.kept:,} were there already" if result.kept else ""
    lines += [f"{result.placed:,} of {len(wanted):,} files placed in {target} ({told}){kept}"]
    return [*lines, f"to take it back: python -m deepcluster_pl organize undo={target}"], result.failed


def take_back(typed: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """What to say, and each file that stays."""
    target, apply = Path(typed["undo"]).expanduser().absolute(), typed["apply"] == "true"
    if not (target / NAME).is_file():
        raise UserError(f"undo={target}: found no {NAME} there, so nothing that could be taken back")
    with folder_lock(target) if apply else nullcontext():
        result = undo(target, apply)
    gone = f", {result.absent:,} were gone already" if result.absent else ""
    stay = f", {len(result.kept):,} stay" if result.kept else ""
    if not apply:
        return [f"{result.removed:,} files would be removed{gone}{stay}; type apply=true to do it"], result.kept
    return [f"{result.removed:,} files removed{gone}{stay}"], result.kept


def check_room(target: Path, wanted: Sequence[tuple[Path, str]]) -> None:
    """`UserError` where copies that are not there yet need more room than there is, as far as can be told."""
    placed = {(one.source, one.folder) for one in Manifest(target).placed}
    new = [source for source, folder in wanted if (str(source), folder) not in placed]
    needed, free = sum(path.stat().st_size for path in new if path.is_file()), shutil.disk_usage(target).free
    if needed > free:
        raise UserError(f"copies need {needed / 1e9:.2f} GB, and {target} has {free / 1e9:.2f} GB; type mode=symlink")


def _printable(text: str) -> str:
    """Names may hold anything, ends of lines too."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape", "replace").decode() for sign in text)


if __name__ == "__main__":
    sys.exit(main())
