"""The command `deepcluster organize` inside the test process, and a folder's content to compare."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from deepcluster_pl.errors import UserError
from deepcluster_pl.organize import add_parser


def run_organize(*settings: object) -> int:
    """Parse and execute as the command line does; return the exit code."""
    parser = argparse.ArgumentParser(prog="deepcluster")
    add_parser(parser.add_subparsers())
    options = parser.parse_args(["organize", *map(str, settings)])
    try:
        return options.execute(options)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1


def content_of(folder: Path) -> dict[str, bytes | str]:
    """Content of every file below a folder, and target of every link."""
    return {
        path.relative_to(folder).as_posix(): (os.readlink(path) if path.is_symlink() else path.read_bytes())
        for path in sorted(folder.rglob("*")) if path.is_symlink() or path.is_file()
    }  # fmt: skip
