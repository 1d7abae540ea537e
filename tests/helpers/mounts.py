"""Small disks and read-only ones for a process of its own, by mounts that nobody else sees."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path
from typing import Any

from helpers.processes import run_command

_NEW_USER, _NEW_MOUNTS, _READ_ONLY, _REMOUNT, _BIND = 0x10000000, 0x00020000, 1, 32, 4096
MAIN = "\nfrom deepcluster_pl.cli.main import main\nmain()\n"


def mounting(*mounts: tuple[str, object, object]) -> str:
    """Return a program's first lines, which mount for it alone.

    Args:
        mounts: ("tmpfs", folder, bytes) for an empty disk of a size, ("read-only", folder, None) for a folder that
            cannot be written.
    """
    return f"from helpers.mounts import mount_all\nmount_all({[(kind, str(a), b) for kind, a, b in mounts]!r})\n"


def mount_all(mounts: list[tuple[str, str, int | None]]) -> None:
    """Mount in a namespace of this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    ids = os.getuid(), os.getgid()
    _check(libc.unshare(_NEW_USER | _NEW_MOUNTS))
    Path("/proc/self/setgroups").write_text("deny")
    for name, number in zip(("uid_map", "gid_map"), ids, strict=True):
        Path("/proc/self", name).write_text(f"0 {number} 1")
    for kind, folder, size in mounts:
        place = folder.encode()
        if kind == "tmpfs":
            _check(libc.mount(b"none", place, b"tmpfs", 0, f"size={size}".encode()))
        else:
            _check(libc.mount(place, place, None, _BIND, None))
            _check(libc.mount(None, place, None, _BIND | _REMOUNT | _READ_ONLY, None))


def turn_read_only(folder: str) -> None:
    """Refuse from now on whatever this process opens for writing below a folder, as a disk does that has failed."""

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        path, flags = (arguments[0], arguments[2]) if event == "open" else ("", 0)
        if str(path).startswith(folder) and flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    sys.addaudithook(refuse)


def can_mount(folder: Path) -> bool:
    """Return whether this system lets a process mount for itself."""
    return run_command([], folder, program=mounting(("tmpfs", folder, 4096))).returncode == 0


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def obeying_permissions() -> str:
    """Return a program's first lines, after which even root may read and write only what permissions allow."""
    return "from helpers.mounts import drop_privileges\ndrop_privileges()\n"


def drop_privileges() -> None:
    """Give up root's right to read and write any file."""
    if os.getuid() == 0:
        header, no_rights = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        _check(ctypes.CDLL(None, use_errno=True).capset(header, no_rights))
