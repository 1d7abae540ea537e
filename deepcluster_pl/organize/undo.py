"""Remove placed files, but only those still as they were placed, and only while their originals exist."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from deepcluster_pl.organize.manifest import Manifest, PlacedFile
from deepcluster_pl.organize.paths import leads_elsewhere
from deepcluster_pl.organize.placement import file_digest

_MAY_BE_LAST = "its original is gone, and this may be the last copy"


@dataclass
class UndoResult:
    """Count of removed files, and the reasons why others are not removed.

    Attributes:
        removed: files removed, or that would be.
        absent: listed files that were gone already.
        kept: reason of each file that is not removed, by its path.
    """

    removed: int = 0
    absent: int = 0
    kept: dict[str, str] = field(default_factory=dict)


def undo_all(target: Path, apply: bool) -> UndoResult:
    """Remove the placed files that a folder's manifest lists, and folders that were made for them and are empty then.

    The manifest itself is removed once no listed file is left.

    Args:
        target: folder that files were placed in.
        apply: False only counts.

    Returns:
        Counts, and the reason of each file that is not removed.

    Raises:
        UserError: the manifest is damaged, or names a path that is not below the folder.
    """
    manifest, result = Manifest(target), UndoResult()
    elsewhere = {folder for folder in {placed.folder for placed in manifest.placed} if leads_elsewhere(target, folder)}
    for placed in manifest.placed:
        path = target / placed.folder / placed.name
        if placed.folder in elsewhere:
            result.kept[str(path)] = "a link leads out of the folder"
        elif not os.path.lexists(path):
            result.absent += 1
        elif reason := _reason_to_keep(placed, path):
            result.kept[str(path)] = reason
        else:
            try:
                if apply:
                    path.unlink()
                result.removed += 1
            except OSError as error:
                result.kept[str(path)] = error.strerror or str(error)
    if apply:
        # Longer paths first, so that a folder comes after the folders inside it
        for folder in sorted(manifest.made_folders, key=len, reverse=True):
            if not leads_elsewhere(target, folder):
                with suppress(OSError):  # it holds something, or is gone
                    (target / folder).rmdir()
        if manifest.placed and not result.kept:
            manifest.path.unlink(missing_ok=True)
    return result


def _reason_to_keep(placed: PlacedFile, path: Path) -> str:
    """Return why a placed file must not be removed, or nothing where removing it loses nothing."""
    source = Path(placed.source)
    # A symbolic link holds no content of its own
    if placed.mode == "symlink":
        is_same_link = path.is_symlink() and os.readlink(path) == placed.source
        return "" if is_same_link else "it is no longer the link that was placed"
    if path.is_symlink() or not path.is_file():
        return "it is no longer the file that was placed"
    if not source.is_file():
        return _MAY_BE_LAST
    # A hard link may go while the original is another name of the same content
    if placed.mode == "hardlink":
        if not path.samefile(source):
            return "it is no longer the file that was placed"
        return "" if source.resolve() != path.resolve() and path.stat().st_nlink > 1 else _MAY_BE_LAST
    # A copy may go while the original still has the same content
    if path.samefile(source):
        return "it is the original"
    return "" if file_digest(path) == placed.digest == file_digest(source) else "it or its original has changed since"
