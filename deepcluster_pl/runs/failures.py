"""Turn failures that are no mistake in the program, such as a full disk, into one line for the user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepcluster_pl.errors import UserError, first_line, resume_command
from deepcluster_pl.utils.atomic_files import disk_error


@contextmanager
def friendly_errors(run_folder: Path | None) -> Iterator[None]:
    """Raise `UserError` in place of an error of the disk, or of a process that reads data.

    Args:
        run_folder: run folder that can be resumed afterwards; None where nothing can be resumed.

    Raises:
        UserError: with the reason, and the command to type. Any other error is passed on.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        text = _describe(error, run_folder)
        if text is None:
            raise
        advice = f"type {resume_command(run_folder)} to continue" if run_folder else "type the command again"
        raise UserError(f"{text}; {advice}") from error


def _describe(error: Exception, run_folder: Path | None) -> str | None:
    """Return a failure in plain words; None for an error that may be a mistake in the program."""
    reason = disk_error(error)
    if reason is not None:
        return f"a file{f' in {run_folder}' if run_folder else ''} cannot be written: {reason}"
    # PyTorch raises plain RuntimeErrors for its reading processes
    text = str(error)
    if isinstance(error, RuntimeError) and text.startswith("DataLoader timed out"):
        return f"a process that reads data gave nothing for {text.rpartition('after ')[2]}"
    if isinstance(error, RuntimeError) and text.startswith("DataLoader worker"):
        return f"a process that reads data ended early ({first_line(error)}), perhaps for want of memory"
    return None
