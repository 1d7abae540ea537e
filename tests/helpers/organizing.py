"""The command `deepcluster organize` inside the test process, and a folder's content to compare."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deepcluster_pl.cli.main import main


def run_organize(*settings: object) -> int:
    """Carry out the command line; return the exit code."""
    with pytest.raises(SystemExit) as end:
        main(["organize", *map(str, settings)])
    return int(end.value.code or 0)


def content_of(folder: Path) -> dict[str, bytes | str]:
    """Content of every file below a folder, and target of every link."""
    return {
        path.relative_to(folder).as_posix(): (os.readlink(path) if path.is_symlink() else path.read_bytes())
        for path in sorted(folder.rglob("*")) if path.is_symlink() or path.is_file()
    }  # fmt: skip
