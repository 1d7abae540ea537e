"""Errors that a person sees as a single line, and the end of a run by a signal."""

from __future__ import annotations

import shlex
from pathlib import Path


class UserError(ValueError):
    """Bad input: the command line prints its text, without a traceback, and exits with code 1.

    It is a `ValueError`, so that programs calling the package as a library can treat it as one.
    """


class UnwrittenFileError(UserError):
    """A file that the disk did not take; whoever catches it knows what to type next."""


class InterruptedRun(BaseException):
    """End of a command by a signal; of a training, after a checkpoint was written.

    Args:
        number: the signal's number.
        folder: run folder, or a sweep's folder, that can be resumed; None where nothing can be.
    """

    def __init__(self, number: int, folder: Path | None = None) -> None:
        super().__init__(f"signal {number}")
        self.number = number
        self.folder = folder


def divergence_error(stage: str, step: int, symptom: str) -> UserError:
    """Return the error of a training whose numbers are no longer finite.

    Args:
        stage: pretrain or fit.
        step: number of optimizer steps taken.
        symptom: the numbers that are not finite, such as "the loss is nan".

    Returns:
        The error, which names the setting to change.

    >>> str(divergence_error("fit", 40, "the loss is nan"))
    'the fit diverged: the loss is nan after step 40; type a smaller fit.optimizer.lr'
    """
    name = "pretraining" if stage == "pretrain" else f"the {stage}"
    return UserError(f"{name} diverged: {symptom} after step {step}; type a smaller {stage}.optimizer.lr")


def resume_command(folder: Path) -> str:
    """Return the command that resumes the run or sweep in a folder, quoted for the shell.

    >>> resume_command(Path("my runs/1"))
    "deepcluster 'resume=my runs/1'"
    """
    return shlex.join(["deepcluster", f"resume={folder}"])


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message that holds text, or the error's type where it has none.

    >>> first_line(ValueError("a\\nb")), first_line(KeyError())
    ('a', 'KeyError')
    """
    lines = (line.strip() for line in str(error).splitlines())
    return next((line for line in lines if line), type(error).__name__)


def unreadable(path: Path, error: BaseException, otherwise: str) -> UserError:
    """Return the error for a file that the system does not let us read, or whose content is wrong.

    Args:
        path: the file.
        error: raised while it was read.
        otherwise: what the content is, where the system is not the reason.

    Returns:
        The error, with the reason.

    >>> str(unreadable(Path("a.ckpt"), PermissionError(13, "Permission denied", "a.ckpt"), "is no checkpoint"))
    'a.ckpt cannot be read: Permission denied'
    >>> str(unreadable(Path("a.ckpt"), ValueError("bad magic"), "is no checkpoint"))
    'a.ckpt is no checkpoint: bad magic'
    """
    if isinstance(error, OSError) and error.strerror:
        return UserError(f"{path} cannot be read: {error.strerror}")
    return UserError(f"{path} {otherwise}: {first_line(error)}")


def visible(text: str) -> str:
    r"""Return a text for a terminal, with escapes for what would move its cursor, color it or turn it around.

    Line ends stay, since a message may have several lines.

    >>> visible("caf\u00e9 \x1b[31mred\u202e")
    'café \\x1b[31mred\\u202e'
    """
    signs = (sign if sign.isprintable() or sign == "\n" else sign.encode("unicode_escape").decode() for sign in text)
    return "".join(signs)
