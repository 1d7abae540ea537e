"""Hash the settings that weights depend on; every checkpoint stores the hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from deepcluster_pl import __version__
from deepcluster_pl.config.nodes import to_plain

_PRETRAINING_DEPENDS_ON = (
    "data", "net", "seed", "pretrain.module", "pretrain.optimizer", "pretrain.max_epochs", "pretrain.batch_size",
    "pretrain.shuffle", "pretrain.callbacks.annealing", "trainer.precision", "trainer.gradient_clip_val",
    "trainer.gradient_clip_algorithm", "trainer.accumulate_grad_batches", "trainer.max_time",
    "trainer.matmul", "pretrain.least_steps",
)  # fmt: skip
_WHERE_SET = ("pretrain.least_steps_per_epoch",)
"""Keys that count only where they are set, so that nets of the cache from before there was such a key are found."""


def fingerprint_of(cfg: DictConfig) -> dict[str, str]:
    """Return hashes of the settings that weights belong to, beside the data; a run resumes from equal ones only."""
    settings = to_plain(cfg)
    method = {key: value for key, value in settings["method"].items() if key != "optimizer"}
    return {
        "net": digest(settings, ("net",)),
        "method": digest(method, tuple(method)),
        "start": digest(settings, ("start", "start_sample_size", "whiten")),
        "seed": str(cfg.seed),
    }


def pretraining_fingerprint(cfg: DictConfig) -> str:
    """Return the hash of every setting, beside the data, that pretrained weights depend on."""
    later = tuple(key for key in _WHERE_SET if OmegaConf.select(cfg, key) is not None)
    return digest(to_plain(cfg), (*_PRETRAINING_DEPENDS_ON, *later))


def digest(cfg: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    """Hash the package's version and some keys of a config.

    Args:
        cfg: plain values.
        keys: with dots for nested ones; an absent key counts as null.

    Returns:
        Sixteen hexadecimal digits.
    """
    chosen: dict[str, Any] = {"version": __version__}
    for key in keys:
        value: Any = cfg
        for name in key.split("."):
            value = (value or {}).get(name)
        chosen[key] = value
    return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:16]
