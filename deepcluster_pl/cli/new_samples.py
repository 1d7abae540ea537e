"""The samples that a trained model is shown: those of its own data's kind, or of another source, all of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from deepcluster_pl.config.allowlist import check_targets, trusted_targets
from deepcluster_pl.config.compose import closest_match, compose_checked
from deepcluster_pl.config.instantiate import instantiate_node
from deepcluster_pl.config.quoting import quote_paths
from deepcluster_pl.data.datamodule import ClusteringData
from deepcluster_pl.errors import UserError
from deepcluster_pl.runs.folder import saved_run

_USED = ["data", "seed", "cache_dir", "trainer"]  # what a source's options may refer to
_EVERYTHING = {"subset.size": None, "subset.stratify": False, "holdout": 0.0, "split": "random", "scale": "none"}
"""All samples, as they are: what was measured on the fitted ones lies in the model."""


def split_own(arguments: Sequence[str], own: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """What was typed of a command's own keys, its defaults filled in, and what is left for the data.

    Args:
        arguments: as typed.
        own: defaults of the command's keys.

    >>> split_own(["run=a b", "data.path=x.npy"], {"run": "", "to": ""})
    ({'run': 'a b', 'to': ''}, ['data.path=x.npy'])
    """
    found, left = dict(own), []
    for text in arguments:
        key, has_value, value = text.partition("=")
        if key in own and has_value:
            found[key] = value
        elif has_value and re.match(r"data([.=]|$)", text):
            left.append(text)
        else:
            raise UserError(f"{text}: expected data=<source>, data.<key>=<value> or {'=, '.join(own)}=")
    return found, left


def run_folder(typed: str) -> Path:
    """A run's folder with a model in it."""
    if not typed:
        raise UserError("run= is missing; type run=<the folder of a finished run>")
    folder = Path(typed).expanduser()
    if not (folder / "model" / "model.json").is_file():
        raise UserError(f"run={typed}: found no model/model.json there; type run=<the folder of a finished run>")
    return folder


def load_samples(folder: Path, overrides: Sequence[str], accelerator: str = "auto") -> ClusteringData:
    """All samples of the source that `data=` names, or of the run's own where only `data.<key>=` were typed.

    Args:
        folder: the run's.
        overrides: of the data.
        accelerator: where a trained backbone, if the source has one, looks at them.
    """
    chosen = any(text.startswith("data=") for text in overrides)
    cfg = _composed(overrides) if chosen else _changed(folder, overrides)
    cfg.trainer.accelerator = accelerator
    check_targets(cfg, trusted_targets())
    for key, value in _EVERYTHING.items():
        OmegaConf.update(cfg, f"data.{key}", value)
    if "copies" in cfg.data:
        cfg.data.copies = 0  # distorted ones are for training
    data: ClusteringData = instantiate_node(cfg.data)
    data.setup()
    return data


def _composed(overrides: Sequence[str]) -> DictConfig:
    composition = compose_checked(quote_paths(overrides))
    if composition.problems or composition.cfg is None:
        raise UserError("\n".join(composition.problems))
    return OmegaConf.masked_copy(composition.cfg, _USED)


def _changed(folder: Path, overrides: Sequence[str]) -> DictConfig:
    cfg = OmegaConf.masked_copy(saved_run(folder).cfg, _USED)
    known = [f"data.{key}" for key in cfg.data]
    try:
        parsed: Any = OverridesParser.create().parse_overrides(quote_paths(overrides))
    except HydraException as error:
        raise UserError(f"{str(error).splitlines()[0]}; quote values that hold ,[]{{}}()= ") from error
    for override in parsed:
        key = str(override.key_or_group)
        if OmegaConf.select(cfg, key, default=known) is known:
            raise UserError(f"{key}: no such key; {closest_match(key, known)}")
        OmegaConf.update(cfg, key, override.value())
    return cfg
