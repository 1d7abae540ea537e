"""Accidents that are no mistake in the program, each told in one line: a disk that refuses, a reader that ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.atomic_files import disk_error


@contextmanager
def friendly_errors(folder: Path) -> Iterator[None]:
    """Raise `UserError` with what to type in place of an accident's own error.

    Args:
        folder: the run to go on with.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        text = _accident(error, folder)
        if text is None:
            raise
        raise UserError(f"{text}; type resume={folder} to go on") from error


def _accident(error: Exception, folder: Path) -> str | None:
    reason = disk_error(error)
    if reason is not None:
        return f"a file in {folder} cannot be written: {reason}"
    text = str(error)
    if isinstance(error, RuntimeError) and text.startswith("DataLoader timed out"):
        return f"a process that reads data gave nothing for {text.rpartition('after ')[2]}"
    if isinstance(error, RuntimeError) and text.startswith("DataLoader worker"):
        return f"a process that reads data ended early ({text.splitlines()[0]}), perhaps for want of memory"
    return None
