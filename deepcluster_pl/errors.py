"""Errors that a person sees as a single line, and the end of a run by a signal."""

from __future__ import annotations

from pathlib import Path


class UserError(ValueError):
    """Bad input: the command line prints its text, without a traceback, and exits with code 1.

    It is a `ValueError`, so that code calling the package as a library can treat it as one.
    """


def divergence_error(stage: str, step: int, found: str) -> UserError:
    """The error of a training whose numbers are no longer finite.

    >>> str(divergence_error("fit", 40, "the loss is nan"))
    'the fit diverged: the loss is nan after step 40; type a smaller fit.optimizer.lr'
    """
    name = "pretraining" if stage == "pretrain" else f"the {stage}"
    return UserError(f"{name} diverged: {found} after step {step}; type a smaller {stage}.optimizer.lr")


class InterruptedRun(BaseException):
    """Training ended on a signal, after a checkpoint was written.

    Attributes:
        number: the signal's number.
        folder: the run to resume.
    """

    def __init__(self, number: int, folder: Path) -> None:
        super().__init__(f"signal {number}")
        self.number = number
        self.folder = folder


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message that holds text, or the error's type where it has none.

    >>> first_line(ValueError("a\\nb")), first_line(KeyError())
    ('a', 'KeyError')
    """
    lines = (line.strip() for line in str(error).splitlines())
    return next((line for line in lines if line), type(error).__name__)
