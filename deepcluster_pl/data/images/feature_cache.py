"""Cache of extracted features on disk, found again by a file's name, size and time; damaged rows do not count."""

from __future__ import annotations

import errno
import hashlib
import itertools
import json
import os
import zlib
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
from deepcluster_pl.errors import first_line
from deepcluster_pl.utils.atomic_files import disk_error

_FORMAT = 4
"""To be raised with every change of what is extracted from a picture, or of how it is stored."""


class CacheEntry(NamedTuple):
    """One picture of the cache.

    Attributes:
        file: as it was when read.
        digest: SHA-256 of its bytes, in hexadecimal.
        metadata: size, date and place.
        thumbnail_span: first byte of its thumbnail in the file of all, and its length.
        row: number of its row.
        checksums: CRC-32 of its row and of its thumbnail.
    """

    file: FoundFile
    digest: str
    metadata: ImageMetadata
    thumbnail_span: tuple[int, int] = (0, 0)
    row: int = 0
    checksums: tuple[int, int] = (0, 0)


class FeatureCache:
    """Rows of equal shape that are only ever appended, with a thumbnail and a line of JSON for each.

    A row is on the disk before its line is, so a process killed in between leaves nothing that counts. Rows, thumbnails
    and lines have checksums. Rows that are damaged, or of files that changed or disappeared, stay until the folder is
    deleted. Where the folder cannot be written, new rows stay in memory.

    Args:
        folder: below `cache_dir`; created if need be.
        shape: of a row.
        dtype: of a row's numbers.

    Attributes:
        entries: each picture by the number of its row, in the order in which they were added.
        problem: why the folder cannot be written, or None.
    """

    def __init__(self, folder: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.folder = folder
        self.shape = shape
        self.dtype = dtype
        self.entries: dict[int, CacheEntry] = {}
        self.problem: str | None = None
        self._index_path = folder / "index.jsonl"
        self._rows_path = folder / "rows.bin"
        self._thumbnails_path = folder / "thumbnails.bin"
        self._row_bytes = int(np.prod(shape)) * dtype.itemsize
        # Ends of what is stored, behind which new rows, thumbnails and lines are appended
        self._n_rows = self._thumbnails_end = self._index_end = 0
        self._in_memory: list[tuple[NDArray[Any], bytes]] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._give_up(error)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the lock while rows are added: one run reads the pictures, and others find the rows."""
        lock = FileLock(self.folder / "lock")
        if self.problem is None:
            try:
                _refuse_link(self.folder / "lock")
                lock.acquire()
            except (OSError, NotImplementedError) as error:  # a read-only folder, or a file system without locks
                self._give_up(error)
        try:
            yield
        finally:
            lock.release()

    def load_index(self) -> dict[FoundFile, int]:
        """Read the index, and return the row of each file whose line, row and thumbnail are intact."""
        self.entries, self._in_memory = {}, []
        try:
            self._load()
        except OSError as error:
            self._n_rows = self._thumbnails_end = self._index_end = 0
            self._give_up(error)
        return {entry.file: row for row, entry in self.entries.items()}

    def _load(self) -> None:
        """Find the ends of what is stored, and the intact entries."""
        content = self._index_path.read_bytes() if self._index_path.is_file() else b""
        lines = content.split(b"\n")
        self._index_end = len(content) - len(lines[-1])  # an interrupted run left the rest
        # Lines within the files decide where to append, so that nothing another run has mapped is overwritten
        n_rows, thumbnail_bytes = _size(self._rows_path) // self._row_bytes, _size(self._thumbnails_path)
        parsed = [entry for line in lines[:-1] if (entry := _parse_line(line)) is not None]
        within = [entry for entry in parsed if entry.row < n_rows and sum(entry.thumbnail_span) <= thumbnail_bytes]
        self._n_rows = max((entry.row + 1 for entry in within), default=0)
        self._thumbnails_end = max((sum(entry.thumbnail_span) for entry in within), default=0)
        self.entries = {entry.row: entry for entry in self._intact(within)}

    def append(self, rows: Sequence[NDArray[Any]], entries: Sequence[CacheEntry], thumbnails: Sequence[bytes]) -> None:
        """Add pictures; where the disk is full or cannot be written, they stay in memory, and `problem` says why.

        Args:
            rows: features, each of `shape`.
            entries: the same number of entries; their rows, spans and checksums are filled in here.
            thumbnails: the same number of JPEGs.
        """
        if not entries:
            return
        contents = [np.ascontiguousarray(row, dtype=self.dtype) for row in rows]
        starts = itertools.accumulate(map(len, thumbnails), initial=self._thumbnails_end)
        first = self._n_rows + len(self._in_memory)
        placed = [
            entry._replace(
                thumbnail_span=(start, len(thumbnail)), row=first + i,
                checksums=(zlib.crc32(content.data), zlib.crc32(thumbnail)),
            )
            for i, (entry, start, content, thumbnail) in enumerate(
                zip(entries, starts, contents, thumbnails, strict=False)
            )
        ]  # fmt: skip
        if self.problem is None:
            try:
                self._write(contents, placed, thumbnails)
            except OSError as error:
                self._give_up(error)
        if self.problem is not None:
            self._in_memory += zip(contents, thumbnails, strict=True)
        self.entries |= {entry.row: entry for entry in placed}

    def rows(self) -> NDArray[Any]:
        """Return all rows (n, *shape), damaged ones included: a memory map, or an array where some are in memory."""
        extra = [row for row, _ in self._in_memory]
        if not self._n_rows:
            return np.stack(extra)
        stored = np.memmap(self._rows_path, self.dtype, "r", shape=(self._n_rows, *self.shape))
        return np.concatenate([stored, np.stack(extra)]) if extra else stored

    def thumbnail(self, entry: CacheEntry) -> bytes:
        """Return the thumbnail of an entry, a JPEG."""
        if entry.row >= self._n_rows:
            return self._in_memory[entry.row - self._n_rows][1]
        with open(self._thumbnails_path, "rb") as file:
            file.seek(entry.thumbnail_span[0])
            return file.read(entry.thumbnail_span[1])

    def _intact(self, entries: Sequence[CacheEntry]) -> Iterator[CacheEntry]:
        """Yield the entries whose row and thumbnail have the checksums of their line."""
        if not entries:
            return
        with open(self._rows_path, "rb") as rows, open(self._thumbnails_path, "rb") as thumbnails:
            for entry in entries:
                rows.seek(entry.row * self._row_bytes)
                thumbnails.seek(entry.thumbnail_span[0])
                row, thumbnail = rows.read(self._row_bytes), thumbnails.read(entry.thumbnail_span[1])
                if (zlib.crc32(row), zlib.crc32(thumbnail)) == entry.checksums:
                    yield entry

    def _write(self, rows: Sequence[NDArray[Any]], entries: Sequence[CacheEntry], thumbnails: Sequence[bytes]) -> None:
        """Append to the three files; the lines come last, since until then rows and thumbnails do not count."""
        with _open_at(self._rows_path, self._n_rows * self._row_bytes) as file:
            for row in rows:
                file.write(row.data)
        with _open_at(self._thumbnails_path, self._thumbnails_end) as file:
            file.write(b"".join(thumbnails))
        lines = b"".join(_format_line(entry) for entry in entries)
        with _open_at(self._index_path, self._index_end) as file:
            file.write(lines)
        self._n_rows += len(rows)
        self._thumbnails_end += sum(map(len, thumbnails))
        self._index_end += len(lines)

    def _give_up(self, error: Exception) -> None:
        """Remember why the folder cannot be written."""
        reason = disk_error(error) or getattr(error, "strerror", None) or first_line(error)
        self.problem = (
            f"the cache {self.folder} cannot be written: {reason}; new pictures are not stored. Type "
            f"cache_dir=<a folder with room> to store them"
        )


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
    """Open a file, created if need be, behind its first `length` bytes, drop the rest, and sync it at the end.

    A link is not followed: it may lead to a file of the user's.
    """
    _refuse_link(path)
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags, 0o666), "r+b") as file:
        file.seek(length)
        file.truncate()
        yield file
        file.flush()
        os.fsync(file.fileno())


def _refuse_link(path: Path) -> None:
    """Raise an error of the system where a path is a link, or a file that has a second name."""
    if path.is_symlink() or (path.is_file() and path.stat().st_nlink > 1):
        raise OSError(errno.ELOOP, f"{path.name} is a link", str(path))


def _size(path: Path) -> int:
    """Return the bytes in a file, 0 where there is none."""
    return path.stat().st_size if path.is_file() else 0


def _format_line(entry: CacheEntry) -> bytes:
    """Return an entry as a line: a checksum, and JSON."""
    file = entry.file
    values = [
        entry.row, *entry.checksums, *entry.thumbnail_span, file.name, file.size, file.mtime_ns, entry.digest,
        *entry.metadata,
    ]  # fmt: skip
    text = json.dumps(values).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _parse_line(line: bytes) -> CacheEntry | None:
    """Return the entry in a line without its end, or None where the line is damaged."""
    checksum, _, text = line.partition(b" ")
    try:
        if int(checksum, 16) != zlib.crc32(text):
            return None
        row, row_sum, thumbnail_sum, start, length, name, size, mtime_ns, digest, *metadata = json.loads(text)
        file = FoundFile(name, size, mtime_ns)
        return CacheEntry(file, digest, ImageMetadata(*metadata), (start, length), row, (row_sum, thumbnail_sum))
    except (ValueError, TypeError):
        return None
