"""Which files below a folder are pictures: each once, none outside, and why some are left out."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif")
)
_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@dataclass(frozen=True)
class File:
    """A picture's file; what it is recognized by the next time.

    Attributes:
        name: path below the root, with `/` between folders; bytes that are no UTF-8 are surrogates, as `os.fsdecode`
            gives them.
        size: bytes.
        mtime_ns: time of the last change.
    """

    name: str
    size: int
    mtime_ns: int


@dataclass
class Found:
    """What lies below a folder.

    Attributes:
        files: pictures by their suffix, in the order of their names.
        skipped: reason for each name that looks like a picture and cannot be one.
        passed_over: reason for each name that is no picture of its own, though nothing is wrong with it.
        n_others: files of other kinds.
    """

    files: list[File] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    passed_over: dict[str, str] = field(default_factory=dict)
    n_others: int = 0


def find_images(root: Path, follow_links: bool) -> Found:
    """Look through a folder and those in it, in the order of their names.

    A folder or file that several links lead to counts once, under its own path rather than a link's. Links that lead
    out of the root are left out unless `follow_links`.
    """
    found, links = Found(), list[tuple[str, str]]()
    top = Path(os.path.realpath(root))
    folders_seen, files_seen = {_identity(os.stat(top))}, dict[tuple[int, int], str]()
    waiting = [(str(top), "")]
    while waiting or links:
        if not waiting:  # real paths first: a link to what was read is nothing new
            path, name = links.pop(0)
            _follow(path, name, top, follow_links, found, folders_seen, files_seen, waiting)
            continue
        folder, prefix = waiting.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            found.skipped[prefix.rstrip("/") or "."] = f"a folder that cannot be read: {error.strerror}"
            continue
        for entry in entries:
            name = prefix + entry.name
            try:
                if entry.is_symlink():
                    links.append((entry.path, name))
                elif entry.is_dir(follow_symlinks=False):
                    _enter(entry.path, name, entry.stat(follow_symlinks=False), found, folders_seen, waiting)
                else:
                    _take(name, entry.stat(follow_symlinks=False), found, files_seen)
            except OSError as error:
                found.skipped[name] = f"cannot be looked at: {error.strerror}"
    found.files.sort(key=lambda file: file.name)
    return found


def shown(name: str) -> str:
    """A name in one line that any terminal prints.

    >>> shown("a\\nb"), shown("caf\\udce9.jpg")
    ("'a\\\\nb'", "'caf\\\\udce9.jpg'")
    """
    return ascii(name) if not name.isprintable() else repr(name)


def _follow(
    path: str,
    name: str,
    top: Path,
    follow_links: bool,
    found: Found,
    folders_seen: set[tuple[int, int]],
    files_seen: dict[tuple[int, int], str],
    waiting: list[tuple[str, str]],
) -> None:
    """What a symbolic link leads to, if it is new and may be read."""
    is_picture = Path(name).suffix.lower() in SUFFIXES
    try:
        facts = os.stat(path)
        target = Path(os.path.realpath(path))
    except OSError as error:
        if is_picture:
            found.skipped[name] = f"a link that leads nowhere: {error.strerror}"
        return
    is_folder = stat.S_ISDIR(facts.st_mode)
    if not follow_links and not target.is_relative_to(top):
        if is_picture or is_folder:
            found.passed_over[name] = "a link out of the folder; data.follow_links=true follows it"
        return
    if is_folder:
        _enter(path, name, facts, found, folders_seen, waiting)
    else:
        _take(name, facts, found, files_seen)


def _enter(
    path: str,
    name: str,
    facts: os.stat_result,
    found: Found,
    folders_seen: set[tuple[int, int]],
    waiting: list[tuple[str, str]],
) -> None:
    if Path(name).suffix.lower() in SUFFIXES:
        found.passed_over[name] = "a folder; pictures in it are read"
    if _identity(facts) not in folders_seen:
        folders_seen.add(_identity(facts))
        waiting.append((path, f"{name}/"))


def _take(name: str, facts: os.stat_result, found: Found, files_seen: dict[tuple[int, int], str]) -> None:
    if Path(name).suffix.lower() not in SUFFIXES:
        found.n_others += 1
        return
    kind = next((text for test, text in _KINDS if test(facts.st_mode)), None)
    if kind is not None:
        found.skipped[name] = f"{kind}, no file"
    elif facts.st_size == 0:
        found.skipped[name] = "empty: 0 bytes"
    elif (earlier := files_seen.setdefault(_identity(facts), name)) != name:
        found.passed_over[name] = f"the same file as {shown(earlier)}"
    else:
        found.files.append(File(name, facts.st_size, facts.st_mtime_ns))


def _identity(facts: os.stat_result) -> tuple[int, int]:
    return facts.st_dev, facts.st_ino
