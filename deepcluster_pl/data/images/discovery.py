"""Search for picture files below a folder: each once, none outside, with a reason for each that is left out."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deepcluster_pl.data.images.foreign_files import begins_as_picture, file_of_program, folder_of_program, is_excluded
from deepcluster_pl.data.images.raw_previews import is_raw, reads_raw

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
class FoundFile:
    """A picture's file, and how a later run recognizes it.

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
class FolderScan:
    """Files below a folder, sorted into pictures and others.

    Attributes:
        files: pictures by their suffix, in the order of their names.
        skipped: reason for each name that looks like a picture and cannot be one.
        ignored: reason for each name that is no picture of its own, though nothing is wrong with it.
        others: number of files of other kinds, by suffix.
        passed_over: number of folders and pictures of other programs, and of those excluded, by kind.
    """

    files: list[FoundFile] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    ignored: dict[str, str] = field(default_factory=dict)
    others: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)

    @property
    def n_others(self) -> int:
        """Number of files of other kinds."""
        return self.others.total()


def find_images(root: Path, follow_links: bool, exclude: Sequence[str] | None = ()) -> FolderScan:
    """Search a folder and those in it, in the order of their names.

    A folder or file that several links lead to counts once, under its own path rather than a link's.

    Args:
        root: the folder.
        follow_links: whether links that lead out of the root are followed.
        exclude: patterns of names that are passed over, beside what other programs write; None passes over nothing.

    Returns:
        The pictures, and the reasons for what is left out.
    """
    return _Scanner(root, follow_links, exclude).scan()


def printable_name(name: str) -> str:
    """Quote a name so that any terminal prints it, in one line.

    >>> printable_name("a\\nb"), printable_name("caf\\udce9.jpg")
    ("'a\\\\nb'", "'caf\\\\udce9.jpg'")
    """
    return ascii(name) if not name.isprintable() else repr(name)


class _Scanner:
    """One search: folders and links still to visit, and the inodes that were seen."""

    def __init__(self, root: Path, follow_links: bool, exclude: Sequence[str] | None) -> None:
        self.follow_links = follow_links
        self.exclude = exclude
        self.top = Path(os.path.realpath(root))
        self.result = FolderScan()
        self.folders_seen = {_inode(os.stat(self.top))}
        self.files_seen: dict[tuple[int, int], str] = {}
        self.folders = [(str(self.top), "")]
        self.links: list[tuple[str, str]] = []

    def scan(self) -> FolderScan:
        """Visit everything: real paths first, so that a link to one of them is nothing new."""
        while self.folders or self.links:
            if self.folders:
                self._visit_folder(*self.folders.pop())
            else:
                self._visit_link(*self.links.pop(0))
        self.result.files.sort(key=lambda file: file.name)
        self._leave_out_raw_twins()
        return self.result

    def _visit_folder(self, folder: str, prefix: str) -> None:
        """Sort the entries of a folder into folders, links and files."""
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            self.result.skipped[prefix.rstrip("/") or "."] = f"a folder that cannot be read: {error.strerror}"
            return
        for entry in entries:
            name = prefix + entry.name
            try:
                if entry.is_symlink():
                    self.links.append((entry.path, name))
                elif entry.is_dir(follow_symlinks=False):
                    self._add_folder(entry.path, name, entry.stat(follow_symlinks=False))
                else:
                    self._add_file(name, entry.stat(follow_symlinks=False))
            except OSError as error:
                self.result.skipped[name] = f"cannot be looked at: {error.strerror}"

    def _visit_link(self, path: str, name: str) -> None:
        """Add what a symbolic link leads to, if it is new and may be read."""
        try:
            status = os.stat(path)
            target = Path(os.path.realpath(path))
        except OSError as error:
            if _looks_like_picture(name):
                self.result.skipped[name] = f"a link that leads nowhere: {error.strerror}"
            return
        is_folder = stat.S_ISDIR(status.st_mode)
        if not self.follow_links and not target.is_relative_to(self.top):
            if _looks_like_picture(name) or is_folder:
                self.result.ignored[name] = "a link out of the folder; data.follow_links=true follows it"
        elif is_folder:
            self._add_folder(path, name, status)
        else:
            self._add_file(name, status)

    def _add_folder(self, path: str, name: str, status: os.stat_result) -> None:
        """Plan a visit to a folder, unless it was seen or is to be passed over."""
        if kind := self._passed_over(name, folder_of_program(name)):
            self.result.passed_over[f"folders ({kind})"] += 1
            return
        if _looks_like_picture(name):
            self.result.ignored[name] = "a folder; pictures in it are read"
        if _inode(status) not in self.folders_seen:
            self.folders_seen.add(_inode(status))
            self.folders.append((path, f"{name}/"))

    def _add_file(self, name: str, status: os.stat_result) -> None:
        """Add a file to the pictures, or to what is left out with its reason."""
        looks_like_one = _looks_like_picture(name)
        passed_over = self._passed_over(name, file_of_program(name.rpartition("/")[2]))
        if not looks_like_one and (passed_over or not self._is_picture(name, status)):
            self.result.others[Path(name).suffix or "without a suffix"] += 1
            return
        if passed_over:
            self.result.passed_over[f"pictures ({passed_over})"] += 1
            return
        kind = next((text for test, text in _KINDS if test(status.st_mode)), None)
        if kind is not None:
            self.result.skipped[name] = f"{kind}, no file"
        elif status.st_size == 0:
            self.result.skipped[name] = "empty: 0 bytes"
        elif (earlier := self.files_seen.setdefault(_inode(status), name)) != name:
            self.result.ignored[name] = f"the same file as {printable_name(earlier)}"
        else:
            self.result.files.append(FoundFile(name, status.st_size, status.st_mtime_ns))

    def _leave_out_raw_twins(self) -> None:
        """Leave out RAW files of shots that the camera stored as pictures too, under the same name."""
        pictures = {_shot(file.name): file.name for file in self.result.files if not is_raw(file.name)}
        twins = {file.name for file in self.result.files if is_raw(file.name) and _shot(file.name) in pictures}
        self.result.ignored |= {name: f"the same shot as {printable_name(pictures[_shot(name)])}" for name in twins}
        self.result.files[:] = [file for file in self.result.files if file.name not in twins]

    def _passed_over(self, name: str, kind: str) -> str:
        """Return why a name is passed over, or an empty text."""
        if self.exclude is None:
            return ""
        return "data.exclude" if is_excluded(name, self.exclude) else kind

    def _is_picture(self, name: str, status: os.stat_result) -> bool:
        """Return whether a file of another suffix is a picture by its first bytes."""
        return stat.S_ISREG(status.st_mode) and status.st_size > 0 and begins_as_picture(self.top / name)


def _looks_like_picture(name: str) -> bool:
    """Return whether a name ends as those of pictures do; of RAW files where their previews can be read."""
    return Path(name).suffix.lower() in SUFFIXES or (is_raw(name) and reads_raw())


def _shot(name: str) -> str:
    """Return the name without its suffix, whatever the case: a camera's RAW file and its JPEG share it."""
    return os.path.splitext(name)[0].lower()


def _inode(status: os.stat_result) -> tuple[int, int]:
    """Return what several names of one file share."""
    return status.st_dev, status.st_ino
