"""Check paths that a table or a list names, so that no file outside their folder is read, written or removed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path, PureWindowsPath

MANIFEST_NAME = "organized.jsonl"
"""The list of placed files, in the target folder."""
UNFINISHED_NAME = ".deepcluster-part"
"""A copy that is not complete yet, in the target folder."""
OWN_NAMES = frozenset({MANIFEST_NAME, UNFINISHED_NAME, "run.lock", "run.owner"})
"""Names in the target folder that files and folders of pictures do not get."""
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[\d¹²³]|lpt[\d¹²³])\s*([.:].*)?", re.IGNORECASE | re.DOTALL)


def is_reserved(name: str) -> bool:
    """Return whether a name is that of a device on Windows, or of a file of this program in the target folder.

    >>> is_reserved("NUL.jpg"), is_reserved("Run.lock"), is_reserved("nullarbor.jpg")
    (True, True, False)
    """
    return bool(_DEVICE.fullmatch(name)) or name.lower() in OWN_NAMES


def problem_of_path(text: str, device_names: bool = os.name == "nt") -> str:
    """Return why a path cannot be below a folder, as a phrase that follows the path; or nothing.

    Args:
        text: the path as a table names it, with / between its parts.
        device_names: whether names of devices on Windows and of this program's own files are refused too.

    >>> problem_of_path("2019/a b.jpg"), problem_of_path("2019/../../x"), problem_of_path("/etc/passwd")
    ('', 'leads out of its folder', 'is an absolute path')
    """
    parts = re.split(r"[/\\\\]", text) if os.name == "nt" else text.split("/")
    if "\0" in text:
        return "holds a NUL character"
    if text.startswith("/") or (os.name == "nt" and (PureWindowsPath(text).anchor or ":" in text)):
        return "is an absolute path"
    if ".." in parts:
        return "leads out of its folder"
    if not all(part not in ("", ".") for part in parts):
        return "has an empty part"
    if device_names and any(is_reserved(part) for part in parts):
        return "has a reserved name"
    return ""


def is_below(path: Path, folder: Path) -> bool:
    """Return whether a path, its links followed, is a folder or below it.

    Args:
        path: it need not exist.
        folder: without links.
    """
    real = path.resolve()
    return folder in (real, *real.parents)


def folder_identities(folders: Iterable[Path]) -> set[tuple[int, int]]:
    """Return device and inode of each folder that exists, which are the same under every name that it has."""
    return {identity for folder in set(folders) if (identity := identity_of(folder)) is not None}


def identity_of(path: Path) -> tuple[int, int] | None:
    """Return device and inode of a file or folder, or None if there is none or the system knows no inode."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if status.st_ino else None


def is_within_identities(path: Path, identities: set[tuple[int, int]]) -> bool:
    """Return whether a path is one of these folders or below it, be it under another name: a mount, another case.

    Args:
        path: it need not exist.
        identities: device and inode of folders.
    """
    real = path.resolve()
    return any(identity_of(place) in identities for place in (real, *real.parents))


def leads_elsewhere(target: Path, folder: str) -> bool:
    """Return whether a link below the target is on the way to one of its folders.

    Args:
        target: the target folder, which may itself be a link.
        folder: path below it.
    """
    return (target / folder).resolve() != target.resolve() / folder
