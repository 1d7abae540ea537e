"""Turn failures that are no mistake in the program, such as a full disk, into one line for the user."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from deepcluster_pl.errors import InterruptedRun, UnwrittenFileError, UserError, first_line, resume_command
from deepcluster_pl.runs.folder import holds_unfinished_config, is_run, is_sweep
from deepcluster_pl.utils.atomic_files import describe_disk_error


@contextmanager
def friendly_errors(run_folder: Path | None) -> Iterator[None]:
    """Raise `UserError` in place of an error of the disk, of memory, or of a process that reads data.

    Args:
        run_folder: run folder, or that of a sweep, which can be resumed once its settings are stored there; or None.

    Raises:
        UserError: with the reason, and the command to type. Any other error is passed on.
        InterruptedRun: a signal arrived; it names the folder.
    """
    try:
        yield
    except UnwrittenFileError as error:
        raise UserError(f"{error}; {_advice(run_folder)}") from error
    except UserError:
        raise
    except KeyboardInterrupt as end:
        raise InterruptedRun(signal.SIGINT, _if_begun(run_folder)) from end
    except InterruptedRun as end:
        end.folder = end.folder or _if_begun(run_folder)
        raise
    except Exception as error:
        if said := _user_error_before(error):
            raise UserError(
                f"{said}; {_advice(run_folder)}" if isinstance(said, UnwrittenFileError) else said
            ) from None
        text = _describe(error, run_folder)
        if text is None:
            raise
        raise UserError(f"{text}; {_advice(run_folder)}") from error


def _user_error_before(error: BaseException) -> UserError | None:
    """Return the `UserError` that an error replaced: Lightning may fail while it cleans up behind one."""
    before = error.__context__
    while before is not None and not isinstance(before, UserError):
        before = before.__context__
    return before


def _advice(run_folder: Path | None) -> str:
    """Return the words to type next."""
    folder = _if_begun(run_folder)
    return f"type {resume_command(folder)} to continue" if folder else "type the command again"


def _if_begun(folder: Path | None) -> Path | None:
    """Return the folder if it holds the settings of a run or a sweep, so that it can be resumed; else None."""
    if folder is None or not (is_sweep(folder) or is_run(folder)):
        return None
    return None if holds_unfinished_config(folder) else folder


def _describe(error: Exception, run_folder: Path | None) -> str | None:
    """Return a failure in plain words; None for an error that may be a mistake in the program."""
    if text := describe_disk_error(error, run_folder):
        return text
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return f"there is not enough memory ({first_line(error)})"
    # PyTorch raises plain RuntimeErrors for its reading processes
    text = str(error)
    if isinstance(error, RuntimeError) and text.startswith("DataLoader timed out"):
        return f"a process that reads data gave nothing for {text.rpartition('after ')[2]}"
    if isinstance(error, RuntimeError) and text.startswith("DataLoader worker"):
        return f"a process that reads data ended early ({first_line(error)}), perhaps for want of memory"
    return None
