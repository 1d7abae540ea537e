"""Silence what other libraries say about things that are as they should be."""

from __future__ import annotations

import logging
import warnings


def quiet() -> None:
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
        ".*Be aware that when using `ckpt_path`, callbacks used to create the checkpoint.*",
    ):
        warnings.filterwarnings("ignore", text)
