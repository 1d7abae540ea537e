"""Take back what was placed: only what is still as it was placed, and only while its original is there."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from deepcluster_pl.organize.manifest import Manifest, Placed
from deepcluster_pl.organize.placement import digest_of


@dataclass
class Undone:
    """What became of the files.

    Attributes:
        removed: that were as they had been placed.
        absent: that were gone already.
        kept: path of each that stays, and why.
    """

    removed: int = 0
    absent: int = 0
    kept: dict[str, str] = field(default_factory=dict)


def undo(target: Path, apply: bool) -> Undone:
    """Remove what the list in a folder says was placed, and folders that are empty then.

    Args:
        target: where files were placed.
        apply: False only looks.
    """
    manifest, result = Manifest(target), Undone()
    for one in manifest.placed:
        path = target / one.folder / one.name
        if not os.path.lexists(path):
            result.absent += 1
        elif why := _reason_to_keep(one, path):
            result.kept[str(path)] = why
        else:
            try:
                if apply:
                    path.unlink()
                result.removed += 1
            except OSError as error:
                result.kept[str(path)] = error.strerror or str(error)
    if apply:
        for folder in sorted({one.folder for one in manifest.placed}, key=len, reverse=True):
            _remove_empty(target / folder, target)
        if not result.kept:
            manifest.path.unlink(missing_ok=True)
    return result


def _reason_to_keep(one: Placed, path: Path) -> str:
    source = Path(one.source)
    if one.mode == "symlink":
        return "" if path.is_symlink() and os.readlink(path) == one.source else "it is no longer the link that was made"
    if path.is_symlink() or not path.is_file():
        return "it is no longer the file that was placed"
    last = "its original is gone, and this may be the last copy"
    if not source.is_file():
        return last
    if one.mode == "hardlink":
        if not path.samefile(source):
            return "it is no longer the file that was placed"
        return "" if source.resolve() != path.resolve() and path.stat().st_nlink > 1 else last
    if path.samefile(source):
        return "it is the original"
    return "" if digest_of(path) == one.digest == digest_of(source) else "it or its original was changed since"


def _remove_empty(folder: Path, target: Path) -> None:
    while folder != target and target in folder.parents:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
