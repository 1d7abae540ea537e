"""What was made of pictures, kept on disk: found again by a file's name, size and time, and mapped into memory."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from deepcluster_pl import __version__
from deepcluster_pl.data.images.discovery import File
from deepcluster_pl.data.images.exif import ImageMetadata
from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.atomic_files import disk_error

_FORMAT = 2
"""To be raised with every change of what is measured of a picture, or of how it is kept."""


class Kept(NamedTuple):
    """One picture of the store.

    Attributes:
        file: as it was when read.
        digest: SHA-256 of its bytes, in hexadecimal.
        facts: size, date and place.
        place: where its thumbnail begins among all, and its length.
    """

    file: File
    digest: str
    facts: ImageMetadata
    place: tuple[int, int] = (0, 0)


class FeatureCache:
    """Rows of equal shape that are only ever appended, a thumbnail and a line of JSON for each.

    A row is on the disk before its line is, so that a process killed in between leaves nothing that counts. Rows of
    files that changed or went stay until the folder is deleted.

    Args:
        folder: below `cache_dir`; created if need be.
        shape: of a row.
        dtype: of its numbers.
    """

    def __init__(self, folder: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.folder = folder
        self.shape = shape
        self.dtype = dtype
        self.entries: list[Kept] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _refused(folder, error) from error

    def lock(self) -> FileLock:
        """Held while rows are added: of several runs one reads pictures, and the others find them."""
        return FileLock(self.folder / "lock")

    def open(self) -> dict[File, int]:
        """Read the lines, forget an unfinished last one, and say which row each file has."""
        path = self.folder / "index.jsonl"
        lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
        whole = self._rows_path.stat().st_size // self._row_bytes if self._rows_path.is_file() else 0
        thumbnails = self._thumbnails_path.stat().st_size if self._thumbnails_path.is_file() else 0
        self.entries, length = [], 0
        for line in lines[:whole]:
            entry = _parse(line)
            if entry is None or sum(entry.place) > thumbnails:
                break
            self.entries.append(entry)
            length += len(line)
        if lines and length < path.stat().st_size:
            os.truncate(path, length)
        return {entry.file: row for row, entry in enumerate(self.entries)}

    def append(self, rows: Sequence[NDArray[Any]], entries: Sequence[Kept], thumbnails: Sequence[bytes]) -> None:
        """Add rows, each of `shape`, with what their files say, and their thumbnails; places are found here."""
        if not entries:
            return
        ends = list(
            itertools.accumulate(map(len, thumbnails), initial=sum(self.entries[-1].place) if self.entries else 0)
        )
        placed = [
            entry._replace(place=(start, len(thumbnail)))
            for entry, start, thumbnail in zip(entries, ends, thumbnails, strict=False)
        ]
        try:
            with open(self._rows_path, "r+b" if self._rows_path.exists() else "w+b") as file:
                file.seek(len(self.entries) * self._row_bytes)
                file.truncate()
                for row in rows:
                    file.write(np.ascontiguousarray(row, dtype=self.dtype).data)
                file.flush()
                os.fsync(file.fileno())
            with open(self._thumbnails_path, "r+b" if self._thumbnails_path.exists() else "w+b") as file:
                file.seek(ends[0])
                file.truncate()
                file.write(b"".join(thumbnails))
                file.flush()
                os.fsync(file.fileno())
            with open(self.folder / "index.jsonl", "ab") as file:
                file.write(b"".join(_line(entry) for entry in placed))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _refused(self.folder, error) from error
        self.entries += placed

    def rows(self) -> NDArray[Any]:
        """All rows (n, *shape), read from the disk as they are asked for."""
        return np.memmap(self._rows_path, self.dtype, "r", shape=(len(self.entries), *self.shape))

    def thumbnail(self, entry: Kept) -> bytes:
        """The small JPEG of an entry."""
        with open(self._thumbnails_path, "rb") as file:
            file.seek(entry.place[0])
            return file.read(entry.place[1])

    @property
    def _thumbnails_path(self) -> Path:
        return self.folder / "thumbnails.bin"

    @property
    def _rows_path(self) -> Path:
        return self.folder / "rows.bin"

    @property
    def _row_bytes(self) -> int:
        return int(np.prod(self.shape)) * self.dtype.itemsize


def cache_folder(cache_dir: Path, root: Path, recipe: Mapping[str, Any]) -> Path:
    """The folder of what a recipe makes of the pictures below a root."""
    decides = json.dumps(
        {"format": _FORMAT, "version": __version__, "root": os.path.realpath(root), **recipe}, sort_keys=True
    )
    return cache_dir / "pictures" / hashlib.sha256(decides.encode()).hexdigest()[:20]


def _line(entry: Kept) -> bytes:
    return json.dumps([*_plain(entry.file), entry.digest, *entry.place, *entry.facts]).encode() + b"\n"


def _plain(file: File) -> list[Any]:
    return [file.name, file.size, file.mtime_ns]


def _parse(line: bytes) -> Kept | None:
    """An entry, or None where the line is unfinished or damaged."""
    try:
        name, size, mtime_ns, digest, start, length, *facts = json.loads(line)
        return (
            Kept(File(name, size, mtime_ns), digest, ImageMetadata(*facts), (start, length))
            if line.endswith(b"\n")
            else None
        )
    except (ValueError, TypeError):
        return None


def _refused(folder: Path, error: OSError) -> UserError:
    reason = disk_error(error) or error.strerror
    return UserError(f"{folder} cannot be written: {reason}; type cache_dir=<a folder with room>")
