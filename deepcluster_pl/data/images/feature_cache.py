"""Cache of extracted features on disk, found again by a file's name, size and time, and mapped into memory."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from deepcluster_pl import __version__
from deepcluster_pl.data.images.discovery import FoundFile
from deepcluster_pl.data.images.exif import ImageMetadata
from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.atomic_files import disk_error

_FORMAT = 2
"""To be raised with every change of what is extracted from a picture, or of how it is stored."""


class CacheEntry(NamedTuple):
    """One picture of the cache.

    Attributes:
        file: as it was when read.
        digest: SHA-256 of its bytes, in hexadecimal.
        metadata: size, date and place.
        thumbnail_span: first byte of its thumbnail in the file of all, and its length.
    """

    file: FoundFile
    digest: str
    metadata: ImageMetadata
    thumbnail_span: tuple[int, int] = (0, 0)


class FeatureCache:
    """Rows of equal shape that are only ever appended, with a thumbnail and a line of JSON for each.

    A row is on the disk before its line is, so a process killed in between leaves nothing that counts. Rows of files
    that changed or disappeared stay until the folder is deleted.

    Args:
        folder: below `cache_dir`; created if need be.
        shape: of a row.
        dtype: of a row's numbers.
    """

    def __init__(self, folder: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.folder = folder
        self.shape = shape
        self.dtype = dtype
        self.entries: list[CacheEntry] = []
        self._index_path = folder / "index.jsonl"
        self._rows_path = folder / "rows.bin"
        self._thumbnails_path = folder / "thumbnails.bin"
        self._row_bytes = int(np.prod(shape)) * dtype.itemsize
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _write_error(folder, error) from error

    def lock(self) -> FileLock:
        """Return the lock to hold while rows are added: one run reads the pictures, and others find the rows."""
        return FileLock(self.folder / "lock")

    def load_index(self) -> dict[FoundFile, int]:
        """Read the lines of whole rows, remove what an interrupted run left behind them, and return each file's row."""
        lines = self._index_path.read_bytes().splitlines(keepends=True) if self._index_path.is_file() else []
        n_rows = _size(self._rows_path) // self._row_bytes
        thumbnail_bytes = _size(self._thumbnails_path)
        # A line counts as long as its row and its thumbnail are whole, and the lines before it count.
        self.entries, length = [], 0
        for line in lines[:n_rows]:
            entry = _parse_line(line)
            if entry is None or sum(entry.thumbnail_span) > thumbnail_bytes:
                break
            self.entries.append(entry)
            length += len(line)
        if lines and length < _size(self._index_path):
            os.truncate(self._index_path, length)
        return {entry.file: row for row, entry in enumerate(self.entries)}

    def append(self, rows: Sequence[NDArray[Any]], entries: Sequence[CacheEntry], thumbnails: Sequence[bytes]) -> None:
        """Add pictures; all of one call count, or those before a failure do.

        Args:
            rows: features, each of `shape`.
            entries: the same number of entries; their thumbnails' spans are filled in here.
            thumbnails: the same number of JPEGs.

        Raises:
            UserError: the disk is full or cannot be written.
        """
        if not entries:
            return
        end = sum(self.entries[-1].thumbnail_span) if self.entries else 0
        starts = list(itertools.accumulate(map(len, thumbnails), initial=end))
        placed = [
            entry._replace(thumbnail_span=(start, len(thumbnail)))
            for entry, start, thumbnail in zip(entries, starts, thumbnails, strict=False)
        ]
        try:
            # The lines come last: until then, the new rows and thumbnails do not count.
            with _open_at(self._rows_path, len(self.entries) * self._row_bytes) as file:
                for row in rows:
                    file.write(np.ascontiguousarray(row, dtype=self.dtype).data)
            with _open_at(self._thumbnails_path, end) as file:
                file.write(b"".join(thumbnails))
            with _open_at(self._index_path, _size(self._index_path)) as file:
                file.write(b"".join(_format_line(entry) for entry in placed))
        except OSError as error:
            raise _write_error(self.folder, error) from error
        self.entries += placed

    def rows(self) -> NDArray[Any]:
        """Return all rows (n, *shape) as a memory map."""
        return np.memmap(self._rows_path, self.dtype, "r", shape=(len(self.entries), *self.shape))

    def thumbnail(self, entry: CacheEntry) -> bytes:
        """Return the thumbnail of an entry, a JPEG."""
        with open(self._thumbnails_path, "rb") as file:
            file.seek(entry.thumbnail_span[0])
            return file.read(entry.thumbnail_span[1])


def cache_folder(cache_dir: Path, root: Path, recipe: Mapping[str, Any]) -> Path:
    """Return the folder for the features that a recipe extracts from the pictures below a root.

    Args:
        cache_dir: folder of all caches.
        root: folder of the pictures.
        recipe: plain values that decide the features.

    Returns:
        A folder below `cache_dir`, of its own for each root, recipe and version.
    """
    decides = json.dumps(
        {"format": _FORMAT, "version": __version__, "root": os.path.realpath(root), **recipe}, sort_keys=True
    )
    return cache_dir / "pictures" / hashlib.sha256(decides.encode()).hexdigest()[:20]


@contextmanager
def _open_at(path: Path, length: int) -> Iterator[IO[bytes]]:
    """Open a file, created if need be, behind its first `length` bytes, drop the rest, and sync it at the end."""
    with open(path, "r+b" if path.exists() else "w+b") as file:
        file.seek(length)
        file.truncate()
        yield file
        file.flush()
        os.fsync(file.fileno())


def _size(path: Path) -> int:
    """Return the bytes in a file, 0 where there is none."""
    return path.stat().st_size if path.is_file() else 0


def _format_line(entry: CacheEntry) -> bytes:
    """Return an entry as a line of JSON."""
    file = entry.file
    values = [file.name, file.size, file.mtime_ns, entry.digest, *entry.thumbnail_span, *entry.metadata]
    return json.dumps(values).encode() + b"\n"


def _parse_line(line: bytes) -> CacheEntry | None:
    """Return the entry in a line, or None where the line is unfinished or damaged."""
    if not line.endswith(b"\n"):
        return None
    try:
        name, size, mtime_ns, digest, start, length, *metadata = json.loads(line)
        return CacheEntry(FoundFile(name, size, mtime_ns), digest, ImageMetadata(*metadata), (start, length))
    except (ValueError, TypeError):
        return None


def _write_error(folder: Path, error: OSError) -> UserError:
    """Return the error that tells a person that the cache cannot be written."""
    reason = disk_error(error) or error.strerror
    return UserError(f"{folder} cannot be written: {reason}; type cache_dir=<a folder with room>")
