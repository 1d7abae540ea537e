"""Silence what other libraries say about things that are as they should be."""

from __future__ import annotations

import logging
import threading
import warnings

from deepcluster_pl.utils.atomic_files import disk_error


def silence_libraries() -> None:
    """Leave Lightning's errors and everybody's real warnings; drop its tips and greetings."""
    for name in ("pytorch_lightning", "lightning_fabric", "lightning.pytorch", "lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for text in (
        ".*does not have many workers.*",
        ".*have no `validation_step`.*",
        ".*Checkpoint directory .* exists and is not empty.*",
        ".*`isinstance\\(treespec, LeafSpec\\)` is deprecated.*",
        ".*number of training batches .* is smaller than the logging interval.*",
        ".*your dataloader is not resumable.*",
        ".*The dirpath has changed from.*",
        ".*Deprecated API features detected.*",  # Optuna 2 and SQLAlchemy 1.4, which belong together
        ".*Be aware that when using `ckpt_path`, callbacks used to create the checkpoint.*",
    ):
        warnings.filterwarnings("ignore", text)
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _thread_ended


def _thread_ended(args: threading.ExceptHookArgs) -> None:
    """Say why a thread failed, unless the disk refused: TensorBoard's then fails its run, which says it once."""
    if disk_error(args.exc_value) is None:
        threading.__excepthook__(args)
