"""Silence the tips and greetings of other libraries, for the rest of a process or for a while."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from deepcluster_pl.utils.atomic_files import disk_error

_LOGGERS = ("pytorch_lightning", "lightning_fabric", "lightning.pytorch", "lightning")
_EXPECTED_WARNINGS = (
    ".*does not have many workers.*",
    ".*have no `validation_step`.*",
    ".*Checkpoint directory .* exists and is not empty.*",
    ".*`isinstance\\(treespec, LeafSpec\\)` is deprecated.*",
    ".*number of training batches .* is smaller than the logging interval.*",
    ".*your dataloader is not resumable.*",
    ".*The dirpath has changed from.*",
    ".*Deprecated API features detected.*",  # Optuna 2 and SQLAlchemy 1.4, which belong together
    ".*Be aware that when using `ckpt_path`, callbacks used to create the checkpoint.*",
)
_lock = threading.Lock()
_n_inside = 0  # calls of `silenced_libraries` that have not ended yet, in all threads
_restore = ExitStack()


def silence_libraries() -> None:
    """Drop Lightning's tips and the warnings that are expected here, for the rest of the process.

    Lightning's errors and all other warnings remain. This is for the command line, which owns its process; a function
    that others call uses `silenced_libraries`.
    """
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    for text in _EXPECTED_WARNINGS:
        warnings.filterwarnings("ignore", text)
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _report_failed_thread


@contextmanager
def silenced_libraries() -> Iterator[None]:
    """Do what `silence_libraries` does, and restore logger levels, warning filters and thread hook at the end.

    Calls may overlap in several threads: the first one silences, and the last one restores. A level or a hook that
    somebody else changed meanwhile stays as it is.
    """
    global _n_inside
    with _lock:
        if _n_inside == 0:
            _restore.enter_context(warnings.catch_warnings())
            _restore.callback(_restore_hook, threading.excepthook)
            for name in _LOGGERS:
                _restore.callback(_restore_level, name, logging.getLogger(name).level)
            silence_libraries()
        _n_inside += 1
    try:
        yield
    finally:
        with _lock:
            _n_inside -= 1
            if _n_inside == 0:
                _restore.close()


def _restore_level(name: str, level: int) -> None:
    """Give a logger its level of before."""
    logger = logging.getLogger(name)
    if logger.level == logging.ERROR:
        logger.setLevel(level)


def _restore_hook(hook: Callable[[threading.ExceptHookArgs], object]) -> None:
    """Put back the function that is called when a thread fails."""
    if threading.excepthook is _report_failed_thread:
        threading.excepthook = hook


def _report_failed_thread(args: threading.ExceptHookArgs) -> None:
    """Print why a thread failed, unless the disk refused: TensorBoard's then fails its run, which reports it once."""
    if disk_error(args.exc_value) is None:
        threading.__excepthook__(args)
