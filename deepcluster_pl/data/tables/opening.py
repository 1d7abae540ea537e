"""Open plain and compressed files as a stream of bytes that never grows beyond a stated multiple of the file."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path
from typing import IO, Any

from deepcluster_pl.errors import UserError

MAX_INFLATION = 200
"""Decompressed content may be this many times as large as its file, and at least 64 MiB."""
ALWAYS_FINE_BYTES = 64 * 2**20
COMPRESSED = (".gz", ".bz2", ".xz", ".zip")


def inflation_limit(n_bytes: int) -> int:
    """Return the number of bytes that a file of this size may grow to."""
    return max(ALWAYS_FINE_BYTES, MAX_INFLATION * n_bytes)


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file, decompressed where its suffix is that of a compressed file.

    Args:
        path: a file; .gz, .bz2, .xz or .zip with one member are decompressed.

    Returns:
        The stream; reading it raises `UserError` where it grows beyond `inflation_limit`.
    """
    suffix = path.suffix.lower()
    if suffix not in COMPRESSED:
        return path.open("rb")
    stream: Any
    if suffix == ".zip":
        archive = zipfile.ZipFile(path)
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) != 1:
            raise UserError(f"{path.name} holds {len(members)} files, expected one table; unpack it")
        stream = archive.open(members[0])
    else:
        opens: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
        stream = opens[suffix](path, "rb")
    return io.BufferedReader(_Bounded(stream, path), 2**18)


class _Bounded(io.RawIOBase):
    """A stream that counts the bytes read from it."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self._stream = stream
        self._path = path
        self._left = inflation_limit(path.stat().st_size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._stream.read(len(buffer))
        self._left -= len(content)
        if self._left < 0:
            raise UserError(
                f"{self._path.name} grows to more than {MAX_INFLATION} times its size when it is decompressed; "
                f"decompress it yourself if you trust it"
            )
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._stream.close()
        super().close()


def table_suffix(path: Path) -> str:
    """Return the suffix of a file's content, without that of its compression.

    >>> table_suffix(Path("a/customers.csv.gz")), table_suffix(Path("x.NPY"))
    ('.csv', '.npy')
    """
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() if suffix in COMPRESSED else suffix
