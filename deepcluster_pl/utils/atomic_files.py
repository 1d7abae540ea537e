"""Write files so that a reader finds the old one or the new one, never a half."""

from __future__ import annotations

import codecs
import errno
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from deepcluster_pl.errors import UserError

_UNFINISHED = ".part"
_DISK_ERRORS = (
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG,
)  # fmt: skip
_NO_TEXT_FAILS = "deepcluster_pl.no_text_fails"


def _as_bytes(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return what is written for text that UTF-8 does not have: bytes of a file name, or escapes."""
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


codecs.register_error(_NO_TEXT_FAILS, _as_bytes)


@contextmanager
def atomic_write(path: Path, mode: str = "w", keep: Path | None = None) -> Iterator[IO[Any]]:
    """Open a temporary file beside `path`; on success sync it and put it in place of `path`.

    The old file stays where anything fails: a full disk, an exception, a killed process. The new file has the mode
    that the umask gives, and the folders above it are made.

    Args:
        path: the file.
        mode: w or wb. Text is UTF-8; a file name in it that is not UTF-8 is written as the bytes it is, and any other
            half of a character as its escape, such as \\ud800.
        keep: where the old file is moved to; between the two renames it alone is there. None replaces it.

    Yields:
        The temporary file, open for writing.

    Raises:
        UserError: the disk is full, failing or not to be written.
    """
    temporary = None
    text = {} if "b" in mode else {"encoding": "utf-8", "errors": _NO_TEXT_FAILS, "newline": ""}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = _create_beside(path)
        with os.fdopen(descriptor, mode, **text) as file:  # type: ignore[call-overload]
            yield file
            file.flush()
            os.fsync(file.fileno())
        # The content is on the disk: from here on only names change
        if keep is not None and path.exists():
            os.replace(path, keep)
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except BaseException as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        reason = disk_error(error)
        if reason is None:
            raise
        raise UserError(f"{path} cannot be written: {reason}; the earlier file was not changed") from error


def disk_error(error: BaseException | None) -> str | None:
    """Return the system's words if the disk caused an error: full, failing or not to be written.

    Args:
        error: an error; its causes are searched too.

    Returns:
        The reason, such as "No space left on device"; None for any other error.
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
            return str(error.strerror)
        error = error.__cause__ or error.__context__
    return None


def remove_partial_files(files: Iterable[Path]) -> None:
    """Remove the unfinished versions that killed writers left beside these files; every other file stays."""
    for file in files:
        for path in file.parent.glob(f".{file.name}.????????{_UNFINISHED}"):
            path.unlink(missing_ok=True)


def atomic_copy(source: Path, target: Path) -> None:
    """Copy a file so that the target is never half there.

    Args:
        source: the file to copy.
        target: the copy; a file of that name is replaced.

    Raises:
        UserError: the disk is full, failing or not to be written.
    """
    with source.open("rb") as original, atomic_write(target, "wb") as copy:
        shutil.copyfileobj(original, copy)


def _create_beside(path: Path) -> tuple[int, Path]:
    """Return the descriptor and the path of a new, empty file in the folder of `path`, under an unpredictable name."""
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)  # O_BINARY: Windows only
    while True:
        temporary = path.parent / f".{path.name}.{secrets.token_urlsafe(6)}{_UNFINISHED}"  # six bytes are 8 characters
        try:
            # The system takes the umask off this mode. Asking Python for the umask would change it for every thread.
            return os.open(temporary, flags, 0o666), temporary
        except FileExistsError:
            continue


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut, where the system allows it."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
