"""The list of placed files: one line of JSON each, which an undo and a repeated command read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from deepcluster_pl.errors import UserError

MANIFEST_NAME = "organized.jsonl"


class PlacedFile(NamedTuple):
    """One file that was placed; a line of the list holds these fields in this order.

    Attributes:
        source: absolute path of the original.
        folder: the file's folder, below the target.
        name: the file's name there.
        mode: copy, symlink or hardlink.
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
    """

    def __init__(self, target: Path) -> None:
        self.path = target / MANIFEST_NAME
        self.placed = list(self._read())

    def add(self, placed: PlacedFile) -> None:
        """Append one line and sync it to the disk; if that fails, the list is left as it was."""
        length = self.path.stat().st_size if self.path.exists() else 0
        try:
            with self.path.open("ab") as file:
                file.write(json.dumps(placed).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            if self.path.exists():
                os.truncate(self.path, length)
            raise
        self.placed.append(placed)

    def _read(self) -> Iterator[PlacedFile]:
        """Yield the lines; an unfinished last one is cut off, any other damage is a `UserError`."""
        if not self.path.exists():
            return
        length = 0
        lines = self.path.read_bytes().splitlines(keepends=True)
        for number, line in enumerate(lines, start=1):
            try:
                fields = json.loads(line)
                if len(fields) != len(PlacedFile._fields) or not all(isinstance(field, str) for field in fields):
                    raise ValueError
            except (ValueError, TypeError) as error:
                if number == len(lines) and not line.endswith(b"\n"):
                    os.truncate(self.path, length)  # a process was killed while it wrote this line
                    return
                raise UserError(f"{self.path}, line {number}: expected a placed file; the list is damaged") from error
            length += len(line)
            yield PlacedFile(*fields)
