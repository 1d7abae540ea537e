"""Place files one by one: no existing file is ever overwritten, and files placed earlier stay."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from deepcluster_pl.errors import UserError
from deepcluster_pl.organize.manifest import Manifest, PlacedFile
from deepcluster_pl.organize.paths import UNFINISHED_NAME, is_reserved, leads_elsewhere
from deepcluster_pl.utils.atomic_files import move_to_free_name

Mode = Literal["copy", "symlink", "hardlink"]
_CHUNK_BYTES = 2**20
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_LINK_ERRORS = (errno.EXDEV, errno.EPERM, errno.ENOTSUP)


@dataclass
class PlacementResult:
    """Count of placed files, and why others failed.

    Attributes:
        placed: files placed now.
        kept: files that an earlier command placed and that are still there.
        failed: reason of each original that could not be placed, by its path.
    """

    placed: int = 0
    kept: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def check_free_space(target: Path, wanted: Sequence[tuple[Path, str]]) -> None:
    """Raise where copies that are not placed yet need more space than the disk has.

    Args:
        target: existing folder that files are placed in.
        wanted: originals, absolute, each with its folder below the target.

    Raises:
        UserError: the free space, as far as the system knows it, is too small.
    """
    placed = {(file.source, file.folder) for file in Manifest(target).placed}
    new = [source for source, folder in wanted if (str(source), folder) not in placed]
    needed, free = sum(path.stat().st_size for path in new if path.is_file()), shutil.disk_usage(target).free
    if needed > free:
        raise UserError(f"copies need {needed / 1e9:.2f} GB, and {target} has {free / 1e9:.2f} GB; type mode=symlink")


def place_all(wanted: Iterable[tuple[Path, str]], target: Path, mode: Mode) -> PlacementResult:
    """Place every original in its folder below the target, and list it in the manifest.

    Args:
        wanted: originals, absolute, each with its folder below the target.
        target: created where it is missing.
        mode: `copy`, or a link of either kind.

    Returns:
        Counts, and the reason of each file that failed.

    Raises:
        UserError: the disk is full, or cannot hold such links; files placed by then are listed.
    """
    target.mkdir(parents=True, exist_ok=True)
    (target / UNFINISHED_NAME).unlink(missing_ok=True)  # a killed process may have left it
    manifest, result = Manifest(target), PlacementResult()
    # A listed file that was deleted since is placed again
    there = {
        (file.source, file.folder)
        for file in manifest.placed
        if os.path.lexists(target / file.folder / file.name)
    }  # fmt: skip
    checked: set[str] = set()
    for source, folder in wanted:
        if (str(source), folder) in there:
            result.kept += 1
            continue
        try:
            if not source.is_file():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            if folder not in checked:
                if leads_elsewhere(target, folder):
                    raise UserError(f"{target / folder} leads out of {target} by a link; type to=<another folder>")
                manifest.make_folder(folder)
                checked.add(folder)
            name, digest = _place(source, target, folder, mode)
            _list_or_remove(manifest, PlacedFile(str(source), folder, name, mode, digest))
        except OSError as error:
            _raise_if_all_would_fail(error, source, target, mode, result.placed)
            result.failed[str(source)] = error.strerror or str(error)
        else:
            result.placed += 1
    return result


def _raise_if_all_would_fail(error: OSError, source: Path, target: Path, mode: Mode, n_placed: int) -> None:
    """Raise `UserError` for a failure that every further file would meet too: a full disk, impossible links."""
    if error.errno in _DISK_ERRORS:
        text = f"{target}: {error.strerror}; {n_placed} files were placed, type the command again to resume"
        raise UserError(text) from error
    if error.errno in _LINK_ERRORS and mode != "copy":
        text = f"{mode}s cannot be made from {source} in {target}: {error.strerror}; type mode=copy"
        raise UserError(text) from error


def _list_or_remove(manifest: Manifest, placed: PlacedFile) -> None:
    """List a placed file; if that fails, remove the file, so that none is left unlisted."""
    try:
        manifest.add(placed)
    except OSError:
        (manifest.path.parent / placed.folder / placed.name).unlink()
        raise


def candidate_names(source: Path) -> Iterator[str]:
    """Yield the original's name, then numbered ones for a folder where it is taken.

    A name that Windows or this program reserves begins with an underscore.

    >>> names = candidate_names(Path("/a/b.tar.gz"))
    >>> next(names), next(names), next(names)
    ('b.tar.gz', 'b.tar (2).gz', 'b.tar (3).gz')
    """
    mark = "_" if is_reserved(source.name) else ""
    yield f"{mark}{source.name}"
    number = 2
    while True:
        yield f"{mark}{source.stem} ({number}){source.suffix}"
        number += 1


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _place(source: Path, target: Path, folder: str, mode: Mode) -> tuple[str, str]:
    """Place one file under the first free name; return that name, and a copy's digest."""
    unfinished = target / UNFINISHED_NAME
    try:
        # A copy gets its name only once it is complete
        if mode == "copy":
            shutil.copy2(source, unfinished)
        digest = file_digest(unfinished) if mode == "copy" else ""
        for name in candidate_names(source):
            path = target / folder / name
            try:
                if mode == "symlink":
                    os.symlink(source, path)
                elif mode == "hardlink":
                    os.link(os.path.realpath(source), path)  # linking a symlink would make another symlink
                else:
                    move_to_free_name(unfinished, path)
            except FileExistsError:
                continue
            return name, digest
        raise AssertionError("candidate names never end")
    finally:
        unfinished.unlink(missing_ok=True)
