"""A lock that lets one process at a time use a folder."""

from __future__ import annotations

import errno
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.atomic_files import atomic_write, remove_partial_files
from deepcluster_pl.utils.run_folder import RunFolder

_NO_FLOCK = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS)
_TAKEOVER_S = 0.5
_MOST_BYTES = 1024
_OWNER = re.compile(r"(?P<pid>\d+)\n(?P<host>[^\n]+)\n(\d+\n)?")
_OWNER_OF_0_1 = re.compile(r"process \d+ on \S+ since [\d-]+ [\d:]+")  # version 0.1 wrote it into run.lock


@contextmanager
def folder_lock(folder: Path, holds_run: bool = True) -> Iterator[None]:
    """Keep a folder for this process.

    The system releases the lock when its process ends, however that ends. So the folder of a killed run can be locked
    again, and its unfinished files are removed. Where the file system has no such locks, run.owner itself is the lock,
    and a later process on the same machine takes it over once its owner is gone. Folders made for the lock that are
    empty afterwards are removed too. A file of the user's under the lock's names is neither changed nor removed.

    Args:
        folder: the folder; it is made if it does not exist.
        holds_run: whether unfinished files of a killed run are removed from it.

    Raises:
        UserError: another process has the folder, it cannot be locked, or a name of the lock is taken.
    """
    run = RunFolder(folder)
    new_folders = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _check_names_free(run)
        # An empty run.lock without an owner may be the user's: it is locked, but it is not removed
        is_ours = not os.path.lexists(run.lock) or os.path.lexists(run.owner) or run.lock.stat().st_size > 0
        lock = _acquire(run)
    except Timeout:
        raise UserError(
            f"{folder} is in use by {_describe_owner(run)}; wait for it, or choose another folder"
        ) from None
    except OSError as error:
        raise UserError(f"{folder} cannot be locked: {error.strerror}; choose another folder") from error
    try:
        if not isinstance(lock, SoftFileLock):
            with atomic_write(run.owner) as file:
                file.write(_this_process())
        remove_partial_files([run.owner, *((*run.written_files, *run.candidate_files) if holds_run else ())])
        yield
    finally:
        with suppress(OSError):  # a file that another process has open, on Windows
            if is_ours and not isinstance(lock, SoftFileLock):
                run.lock.unlink(missing_ok=True)
            if _read(run.owner) == _this_process():  # not that of a process that has the folder by now
                run.owner.unlink()
        lock.release()
        with suppress(OSError):  # at the first that holds something
            for place in new_folders:
                place.rmdir()


def _acquire(run: RunFolder) -> BaseFileLock:
    """Return the lock of a folder, acquired: the system's, or run.owner where the file system has none."""
    lock: BaseFileLock = FileLock(run.lock, fallback_to_soft=False)
    was_there = os.path.lexists(run.lock)
    try:
        lock.acquire(timeout=0)
    except OSError as error:
        if not was_there:
            run.lock.unlink(missing_ok=True)  # the attempt made it
        if error.errno not in _NO_FLOCK:
            raise
        lock = SoftFileLock(run.owner)
        lock.acquire(timeout=_TAKEOVER_S, poll_interval=_TAKEOVER_S / 10)
    return lock


def lock_files(run: RunFolder) -> list[Path]:
    """Return the files of a lock that a process of this program has made in a folder, ended or not."""
    if run.owner.is_symlink() or not _OWNER.fullmatch(_read(run.owner) or ""):
        return []
    return [run.owner, *([run.lock] if _read(run.lock) == "" and not run.lock.is_symlink() else [])]


def _check_names_free(run: RunFolder) -> None:
    """Raise `UserError` if run.lock or run.owner is a file, link or folder that no lock has made."""
    for path, written in ((run.lock, _OWNER_OF_0_1), (run.owner, _OWNER)):
        if not os.path.lexists(path):
            continue
        content = None if path.is_symlink() or not path.is_file() else _read(path)
        is_empty_lock = content == "" and path == run.lock
        if content is None or not (is_empty_lock or written.fullmatch(content)):
            if not os.path.lexists(path):  # its process has ended in between
                continue
            raise UserError(f"{path} is no lock of this program; move it, or choose another folder")


def _this_process() -> str:
    """Return the content of run.owner: process id and host, a line each, as SoftFileLock writes them."""
    return f"{os.getpid()}\n{socket.gethostname()}\n"


def _describe_owner(run: RunFolder) -> str:
    """Describe the process that has the folder, as far as run.owner names it."""
    owner = _OWNER.fullmatch(_read(run.owner) or "")
    if owner is None:
        return "another process"
    try:
        since = f" since {datetime.fromtimestamp(run.owner.stat().st_mtime):%Y-%m-%d %H:%M:%S}"
    except OSError:
        since = ""
    other_host = owner["host"] != socket.gethostname()
    hint = f" (if that process is gone, remove {run.owner})" if other_host else ""
    return f"process {owner['pid']} on {owner['host']}{since}{hint}"


def _read(path: Path) -> str | None:
    """Return a short text, or None where there is none."""
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError):
        return None
