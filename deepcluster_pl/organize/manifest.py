"""The list of what was placed: a line of JSON for each file, which an undo reads and a second try goes on from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from deepcluster_pl.errors import UserError

NAME = "organized.jsonl"


class Placed(NamedTuple):
    """One file that was placed.

    Attributes:
        source: the original, absolute.
        folder: that it belongs in, below the target.
        name: that it has there.
        mode: copy, symlink or hardlink.
        digest: SHA-256 of a copy, or empty.
    """

    source: str
    folder: str
    name: str
    mode: str
    digest: str


class Manifest:
    """Lines that are only ever appended; an unfinished last one does not count.

    Args:
        target: folder that files are placed in; the list lies there.
    """

    def __init__(self, target: Path) -> None:
        self.path = target / NAME
        self.placed = list(self._read())

    def add(self, placed: Placed) -> None:
        """Append a line, on the disk when this returns; where that fails, the list is as it was."""
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

    def _read(self) -> Iterator[Placed]:
        if not self.path.exists():
            return
        length = 0
        lines = self.path.read_bytes().splitlines(keepends=True)
        for number, line in enumerate(lines, start=1):
            try:
                fields = json.loads(line)
                if len(fields) != len(Placed._fields) or not all(isinstance(field, str) for field in fields):
                    raise ValueError
            except (ValueError, TypeError) as error:
                if number == len(lines) and not line.endswith(b"\n"):
                    os.truncate(self.path, length)  # a process was killed within it
                    return
                raise UserError(
                    f"{self.path}, line {number}: found no file that was placed; the list is damaged"
                ) from error
            length += len(line)
            yield Placed(*fields)
