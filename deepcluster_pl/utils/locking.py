"""A lock that lets one process at a time use a folder."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.atomic_files import remove_partial_files
from deepcluster_pl.utils.run_folder import RunFolder


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Keep a folder for this process.

    The system releases the lock when its process ends, however that ends. So the folder of a killed run can be locked
    again, and its unfinished files are removed. Folders made for the lock that are empty afterwards are removed too.

    Args:
        folder: the folder; it is made if it does not exist.

    Raises:
        UserError: another process has the folder, or it cannot be locked.
    """
    run = RunFolder(folder)
    path = run.lock
    new_folders = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(f"{folder} is in use by {_owner(path)}; wait for it, or choose another folder") from None
    except OSError as error:
        raise UserError(f"{folder} cannot be locked: {error.strerror}; choose another folder") from error
    try:
        path.write_text(_this_process(), encoding="utf-8")
        remove_partial_files(run.written_files)
        yield
    finally:
        path.unlink(missing_ok=True)
        lock.release()
        with suppress(OSError):  # at the first that holds something
            for place in new_folders:
                place.rmdir()


def _this_process() -> str:
    """Describe this process for the message that another one prints."""
    return f"process {os.getpid()} on {socket.gethostname()} since {datetime.now():%Y-%m-%d %H:%M:%S}"


def _owner(path: Path) -> str:
    """Read the description of the process that holds the lock."""
    try:
        return path.read_text(encoding="utf-8") or "another process"
    except (OSError, UnicodeDecodeError):
        return "another process"
