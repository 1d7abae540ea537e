"""The list of placed files: one line of JSON each, which an undo and a repeated command read."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from deepcluster_pl.errors import UserError
from deepcluster_pl.organize.paths import MANIFEST_NAME, problem_of_path
from deepcluster_pl.utils.atomic_files import own_alone

_FOLDER = "folder"
_DIGEST = re.compile(r"[0-9a-f]{64}")


class PlacedFile(NamedTuple):
    """One file that was placed; a line of the list holds these fields in this order.

    Attributes:
        source: absolute path of the original.
        folder: the file's folder, below the target.
        name: the file's name there.
        mode: copy, symlink or hardlink; `folder` lists a folder that was made, and then all but `folder` is empty.
        digest: SHA-256 of a copy, or empty.
    """

    source: str
    folder: str
    name: str
    mode: str
    digest: str


class Manifest:
    """The placed files of one target folder; lines are only ever appended.

    Args:
        target: folder that files are placed in; the list is stored there as `organized.jsonl`.

    Attributes:
        placed: the files.
        made_folders: folders below the target that were made for them.
    """

    def __init__(self, target: Path) -> None:
        self.path = target / MANIFEST_NAME
        if os.path.lexists(self.path) and (self.path.is_symlink() or not self.path.is_file()):
            raise UserError(f"{self.path} is a link or no file; expected the list of placed files, move it away")
        self._whole = 0  # bytes of whole lines
        lines = list(self._read())
        self.placed = [line for line in lines if line.mode != _FOLDER]
        self.made_folders = {line.folder for line in lines if line.mode == _FOLDER}

    def add(self, placed: PlacedFile) -> None:
        """List a file that was placed."""
        self._append(placed)
        self.placed.append(placed)

    def make_folder(self, folder: str) -> None:
        """Make a folder below the target, with those above it, and list each that was not there before."""
        missing = [part for part in (Path(folder), *Path(folder).parents) if not (self.path.parent / part).exists()]
        (self.path.parent / folder).mkdir(parents=True, exist_ok=True)
        for part in missing:
            self._append(PlacedFile("", part.as_posix(), "", _FOLDER, ""))
            self.made_folders.add(part.as_posix())

    def _append(self, placed: PlacedFile) -> None:
        """Append one line and sync it to the disk; if that fails, the list is left as it was.

        The rest of a line that a killed process left is removed first.
        """
        is_new = not self.path.exists()
        own_alone(self.path)
        if not is_new and self.path.stat().st_size > self._whole:
            os.truncate(self.path, self._whole)
        line = json.dumps(placed).encode() + b"\n"
        try:
            with self.path.open("ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            if is_new:
                self.path.unlink(missing_ok=True)
            elif self.path.exists():
                os.truncate(self.path, self._whole)
            raise
        self._whole += len(line)

    def _read(self) -> Iterator[PlacedFile]:
        """Yield the lines; an unfinished last one is left out, any other damage is a `UserError`."""
        if not self.path.exists():
            return
        lines = self.path.read_bytes().splitlines(keepends=True)
        for number, line in enumerate(lines, start=1):
            is_unfinished = number == len(lines) and not line.endswith(b"\n")
            try:
                fields = json.loads(line)
                if len(fields) != len(PlacedFile._fields) or not all(isinstance(field, str) for field in fields):
                    raise ValueError
            except (ValueError, TypeError, RecursionError) as error:
                if is_unfinished and line.startswith(b'["'):
                    return  # a process was killed while it wrote this line
                raise UserError(f"{self.path}, line {number}: expected a placed file; the list is damaged") from error
            placed = PlacedFile(*fields)
            if problem := _problem_of(placed):
                raise UserError(f"{self.path}, line {number}: {problem}, which this program does not write")
            self._whole += len(line)
            yield placed


def _problem_of(placed: PlacedFile) -> str:
    """Return what is wrong with a line whose file could be outside the target, or is of no known kind; or nothing."""
    if placed.mode == _FOLDER:
        is_plain = not (placed.source or placed.name or placed.digest)
        problem = problem_of_path(placed.folder, device_names=True) if is_plain else "has more than a name"
        return f"{placed.folder!r} {problem}" if problem else ""
    if placed.mode not in ("copy", "symlink", "hardlink"):
        return f"found the mode {placed.mode!r}"
    if not (_DIGEST.fullmatch(placed.digest) if placed.mode == "copy" else not placed.digest):
        return f"found the digest {placed.digest!r} of a {placed.mode}"
    if not os.path.isabs(placed.source) or "\0" in placed.source:
        return f"found {placed.source!r} as an original, expected an absolute path"
    if "/" in placed.name or ("\\" in placed.name and os.name == "nt"):
        return f"found {placed.name!r} as a file name"
    for path in (placed.folder, placed.name):
        if problem := problem_of_path(path, device_names=True):
            return f"{path!r} {problem}"
    return ""
