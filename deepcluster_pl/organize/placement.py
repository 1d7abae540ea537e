"""Place files, one by one: nothing that is there is ever written over, and what was placed already stays."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from deepcluster_pl.errors import UserError
from deepcluster_pl.organize.manifest import Manifest, Placed

Mode = Literal["copy", "symlink", "hardlink"]
_PART = ".deepcluster-part"
_CHUNK = 2**20


@dataclass
class Result:
    """What became of the files.

    Attributes:
        placed: now.
        kept: by an earlier try.
        failed: name of each that could not be placed, and why.
    """

    placed: int = 0
    kept: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def place_all(wanted: Iterable[tuple[Path, str]], target: Path, mode: Mode) -> Result:
    """Place every original in a folder below the target, and write the list of it.

    Args:
        wanted: originals, absolute, each with its folder.
        target: is made where it is missing.
        mode: `copy`, or a link of either kind.

    Raises:
        UserError: the disk is full, or links are impossible there; what was placed by then is in the list.
    """
    target.mkdir(parents=True, exist_ok=True)
    (target / _PART).unlink(missing_ok=True)  # of a process that was killed
    manifest, result = Manifest(target), Result()
    there = {(one.source, one.folder) for one in manifest.placed if os.path.lexists(target / one.folder / one.name)}
    for source, folder in wanted:
        if (str(source), folder) in there:
            result.kept += 1
            continue
        try:
            if not source.is_file():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            (target / folder).mkdir(parents=True, exist_ok=True)
            name, digest = _place(source, target, folder, mode)
            _list(manifest, Placed(str(source), folder, name, mode, digest))
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
                raise UserError(
                    f"{target}: {error.strerror}; {result.placed} files were placed, type it again to go on"
                ) from error
            if error.errno in (errno.EXDEV, errno.EPERM, errno.ENOTSUP) and mode != "copy":
                raise UserError(
                    f"{mode}s cannot be made from {source} in {target}: {error.strerror}; type mode=copy"
                ) from error
            result.failed[str(source)] = error.strerror or str(error)
            continue
        result.placed += 1
    return result


def _list(manifest: Manifest, placed: Placed) -> None:
    """Put a file that was placed on the list; where that is impossible it is not left unlisted."""
    try:
        manifest.add(placed)
    except OSError:
        (manifest.path.parent / placed.folder / placed.name).unlink()
        raise


def names_for(source: Path) -> Iterator[str]:
    """The original's name, and others for a folder where that is taken.

    >>> names = names_for(Path("/a/b.tar.gz"))
    >>> next(names), next(names), next(names)
    ('b.tar.gz', 'b.tar (2).gz', 'b.tar (3).gz')
    """
    yield source.name
    number = 2
    while True:
        yield f"{source.stem} ({number}){source.suffix}"
        number += 1


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _place(source: Path, target: Path, folder: str, mode: Mode) -> tuple[str, str]:
    """Place one file under the first name that is free; the name, and a copy's digest."""
    part = target / _PART
    try:
        if mode == "copy":
            shutil.copy2(source, part)
        digest = digest_of(part) if mode == "copy" else ""
        for name in names_for(source):
            place = target / folder / name
            try:
                if mode == "symlink":
                    os.symlink(source, place)
                elif mode == "hardlink":
                    os.link(os.path.realpath(source), place)  # of a link itself it would be another link
                else:
                    _move_to_free(part, place)
            except FileExistsError:
                continue
            return name, digest
        raise AssertionError("names do not end")
    finally:
        part.unlink(missing_ok=True)


def _move_to_free(part: Path, place: Path) -> None:
    """Give a whole copy its name, all at once; `FileExistsError` where that is taken."""
    try:
        os.link(part, place)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
            raise
        os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY))  # a file system without hard links
        os.replace(part, place)
