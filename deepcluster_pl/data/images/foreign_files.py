"""Recognize what other programs write among photos, and pictures whose name does not say that they are some."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from deepcluster_pl.data.images.raw_previews import is_raw

FOLDERS = {
    "@eaDir": "Synology's previews", ".@__thumb": "QNAP's previews", "#recycle": "a recycle bin",
    "@Recycle": "a recycle bin", "$RECYCLE.BIN": "a recycle bin", ".Trashes": "a recycle bin",
    ".Trash": "a recycle bin", ".Trash-*": "a recycle bin", ".dtrash": "digiKam's recycle bin",
    ".thumbnails": "previews of a gallery", ".thumbs": "previews of a gallery", ".comments": "previews of a gallery",
    "iPod Photo Cache": "iTunes' previews", "*.lrdata": "Lightroom's previews", "*.lrcat-data": "Lightroom's catalog",
    ".picasaoriginals": "Picasa's copies", "Originals.picasa": "Picasa's copies", "*.cocatalogdb": "a catalog",
    "CaptureOne": "Capture One's settings and previews", "__MACOSX": "macOS's notes in archives",
    ".AppleDouble": "macOS's notes", ".Spotlight-V100": "macOS's index", ".fseventsd": "macOS's index",
    ".stversions": "Syncthing's old versions", ".dropbox.cache": "Dropbox's cache", ".cache": "a cache",
    ".git": "a repository", "lost+found": "files found after a crash", "System Volume Information": "Windows' index",
    "derivatives": "previews of Apple Photos",
}  # fmt: skip
"""Patterns of folder names, and what is in such a folder. `derivatives` counts in a .photoslibrary alone."""
FILES = {"._*": "macOS's notes", "Thumbs.db*": "Windows' previews", "ZbThumbnail*": "previews of a camera program"}
"""Patterns of file names, and what such a file is."""
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif")


def folder_of_program(path: str) -> str:
    """Return what a folder is that another program keeps among photos; an empty text for any other.

    >>> folder_of_program("2019/@eaDir"), folder_of_program("a.photoslibrary/resources/derivatives")
    ("Synology's previews", 'previews of Apple Photos')
    >>> folder_of_program("2019/derivatives"), folder_of_program("2019")
    ('', '')
    """
    parts = PurePosixPath(path).parts
    name = parts[-1] if parts else ""
    for pattern, kind in FOLDERS.items():
        if fnmatch.fnmatchcase(name, pattern):
            inside_photos = any(part.lower().endswith(".photoslibrary") for part in parts[:-1])
            return kind if pattern != "derivatives" or inside_photos else ""
    return ""


def file_of_program(name: str) -> str:
    """Return what a file is that another program leaves among photos; an empty text for any other."""
    return next((kind for pattern, kind in FILES.items() if fnmatch.fnmatchcase(name, pattern)), "")


def is_excluded(path: str, patterns: Sequence[str]) -> bool:
    """Return whether a path below the root, or the name at its end, matches a pattern such as `*.gif` or `old/*`.

    Args:
        path: with `/` between folders.
        patterns: of the shell.
    """
    name = path.rpartition("/")[2]
    return any(fnmatch.fnmatchcase(text, pattern) for pattern in patterns for text in (path, name))


def begins_as_picture(path: str | Path) -> bool:
    """Return whether a file of another suffix, or of none, begins as a picture does; RAW files do not count."""
    if is_raw(str(path)):
        return False
    try:
        with open(path, "rb") as file:
            head = file.read(32)
    except OSError:
        return False
    if head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")):
        return True
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return True
    if head[4:8] == b"ftyp" and any(brand in head[8:] for brand in _HEIF_BRANDS):
        return True
    return not PurePosixPath(str(path)).suffix and head.startswith((b"II*\0", b"MM\0*"))


def counted(kinds: Counter[str], most: int = 4) -> str:
    """Return how often each kind occurs, the most frequent first.

    Args:
        kinds: number of each.
        most: kinds that are named; the others are summed.

    >>> counted(Counter({".CR2": 18, "without a suffix": 16, ".mov": 1}), most=2)
    '18 .CR2, 16 without a suffix, 1 of 1 further kind'
    >>> counted(Counter({"folders (a cache)": 1, "pictures (data.exclude)": 2}))
    '2 pictures (data.exclude), 1 folder (a cache)'
    """
    ordered = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    named = [f"{n:,} {kind.replace('s (', ' (', 1) if n == 1 else kind}" for kind, n in ordered[:most]]
    rest = ordered[most:]
    if rest:
        named.append(f"{sum(n for _, n in rest):,} of {len(rest)} further kind{'s' * (len(rest) > 1)}")
    return ", ".join(named)
