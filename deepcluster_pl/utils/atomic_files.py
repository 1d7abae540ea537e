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

from deepcluster_pl.errors import UnwrittenFileError, UserError

_UNFINISHED = ".part"
_WRITE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
_DISK_ERRORS = (
    *_WRITE_ERRORS, errno.EIO, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ESTALE, errno.ENOTCONN,
    errno.ETIMEDOUT, errno.ENODEV, errno.ENXIO, errno.EMFILE, errno.ENFILE, errno.ELOOP,
)  # fmt: skip
"""Errors of a disk, a network drive or the system, and no mistake of the program."""
_NO_TEXT_FAILS = "deepcluster_pl.no_text_fails"


def _as_bytes(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return what is written for text that UTF-8 does not have: bytes of a file name, or escapes."""
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


codecs.register_error(_NO_TEXT_FAILS, _as_bytes)


@contextmanager
def atomic_write(path: Path, mode: str = "w", keep: Path | None = None, replaces: bool = True) -> Iterator[IO[Any]]:
    """Open a temporary file beside `path`; on success sync it and put it in place of `path`.

    The old file stays where anything fails: a full disk, an exception, a killed process. The new file has the mode
    that the umask gives, and the folders above it are made.

    Args:
        path: the file.
        mode: w or wb. Text is UTF-8; a file name in it that is not UTF-8 is written as the bytes it is, and any other
            half of a character as its escape, such as \\ud800.
        keep: where the old file is moved to; between the two renames it alone is there. None replaces it.
        replaces: whether a file of that name is replaced, even one that appeared in the meantime.

    Yields:
        The temporary file, open for writing.

    Raises:
        UnwrittenFileError: the disk is full, failing or not to be written.
        UserError: there is a file of that name, which is not to be replaced.
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
        if replaces:
            os.replace(temporary, path)
        else:
            _move_or_refuse(temporary, path)
        _sync_folder(path.parent)
    except BaseException as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        reason = disk_error(error)
        if reason is None or _is_of_another_file(error, path):
            raise
        raise UnwrittenFileError(f"{path} cannot be written: {reason}; the earlier file was not changed") from error


def disk_error(error: BaseException | None) -> str | None:
    """Return the system's words if the disk caused an error: full, failing or not to be written.

    Args:
        error: an error; its causes are searched too.

    Returns:
        The reason, such as "No space left on device"; None for any other error.
    """
    found = _find_disk_error(error)
    return None if found is None else str(found.strerror)


def describe_disk_error(error: BaseException, folder: Path | None) -> str | None:
    """Return which file cannot be read or written, and why.

    Args:
        error: an error; its causes are searched too.
        folder: named where the error names no file.

    Returns:
        Such as "data.csv cannot be read: Permission denied"; None for an error that the disk did not cause.
    """
    found = _find_disk_error(error)
    if found is None:
        return None
    if isinstance(found.filename, str | os.PathLike):
        file, attempt = os.fspath(found.filename), _attempt_on(Path(found.filename), found)
    else:
        file = f"a file{f' in {folder}' if folder and found.errno in _WRITE_ERRORS else ''}"
        attempt = "written" if found.errno in _WRITE_ERRORS else "read or written"
    return f"{file} cannot be {attempt}: {found.strerror}"


def _find_disk_error(error: BaseException | None) -> OSError | None:
    """Return the error of the disk among an error and its causes, if there is one."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
            return error
        error = error.__cause__ or error.__context__
    return None


def _attempt_on(path: Path, error: OSError) -> str:
    """Return what failed, `read`, `written` or `opened`, as far as the error and the file's permissions tell."""
    if error.errno in _WRITE_ERRORS:
        return "written"
    if error.errno not in (errno.EACCES, errno.EPERM):
        return "opened"
    if not os.path.lexists(path):
        return "written" if os.access(path.parent, os.X_OK) else "opened"
    return "read" if not os.access(path, os.R_OK) else "written"


def _is_of_another_file(error: BaseException, path: Path) -> bool:
    """Return whether an error in the block of `atomic_write` names a file other than the one to be written."""
    found = _find_disk_error(error)
    if found is None or found.errno in _WRITE_ERRORS or not isinstance(found.filename, str | os.PathLike):
        return False
    named = Path(found.filename)
    return path.parent != named.parent and named not in path.parents


def own_alone(path: Path) -> None:
    """Put a copy in place of a file that has a second name, a hard link, so that appending changes no other file."""
    if path.is_file() and path.stat().st_nlink > 1:
        atomic_copy(path, path)


def move_to_free_name(unfinished: Path, path: Path) -> None:
    """Give a complete file its name in one step; `FileExistsError` where the name is taken.

    Args:
        unfinished: the file under another name on the same disk, which may keep that name too.
        path: the new name.
    """
    try:
        os.link(unfinished, path)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS):
            raise
        # Without hard links, an empty file reserves the name before the file replaces it
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        os.replace(unfinished, path)


def _move_or_refuse(temporary: Path, path: Path) -> None:
    """Move a complete file to its name; raise `UserError` if anything has that name by now."""
    try:
        move_to_free_name(temporary, path)
    except FileExistsError as error:
        raise UserError(f"{path} exists by now, and is not overwritten; type another name") from error
    temporary.unlink(missing_ok=True)


def remove_partial_files(files: Iterable[Path]) -> None:
    """Remove the unfinished versions that killed writers left beside these files; every other file stays."""
    for file in files:
        for path in file.parent.glob(f".{file.name}.????????{_UNFINISHED}"):
            path.unlink(missing_ok=True)


def atomic_copy(source: Path, target: Path, replaces: bool = True) -> None:
    """Copy a file so that the target is never half there.

    Args:
        source: the file to copy.
        target: the copy.
        replaces: whether a file of that name is replaced.

    Raises:
        UserError: the disk is full, failing or not to be written.
    """
    with source.open("rb") as original, atomic_write(target, "wb", replaces=replaces) as copy:
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
