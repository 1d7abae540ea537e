"""Let Hydra compose a config, one thread at a time, and leave its state as it was."""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from deepcluster_pl.config.recipes import conf_dir
from deepcluster_pl.errors import first_line

_hydra_is_one = threading.RLock()
"""Hydra has one state for the whole process, so one thread composes at a time."""


def ask_hydra(overrides: list[str], folders: list[Path], problems: list[str]) -> DictConfig | None:
    """Compose with Hydra; where that fails, add a problem and return None."""
    search = [f"hydra.searchpath=[{','.join(f'file://{folder}' for folder in folders)}]"] if folders else []
    # Files of the user's may change between two calls; the shipped ones do not
    ask = _compose_once.__wrapped__ if folders else _compose_once
    with _hydra_is_one:
        try:
            return ask(conf_dir(), os.getcwd(), (*overrides, *search)).copy()
        except Exception as error:  # Hydra has many; OmegaConf, and the parser behind it, have their own
            text = first_line(error)
            extra = "; type pip install 'deepcluster_pl[sweep]'" if "Could not find 'hydra/" in text else ""
            problems.append(f"{text}{extra}")
            return None


@lru_cache(maxsize=16)
def _compose_once(conf: Path, cwd: str, overrides: tuple[str, ...]) -> DictConfig:
    """Let Hydra compose, which takes a tenth of a second; the result is copied before anything is resolved or changed.

    Args:
        conf: folder of the shipped recipes.
        cwd: the current folder, which is in the result.
        overrides: as Hydra reads them.
    """
    saved = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf), version_base="1.3", job_name="deepcluster_pl"):
            return compose("config", overrides=list(overrides), return_hydra_config=True)
    finally:
        GlobalHydra.instance().clear()
        GlobalHydra.instance().hydra = saved
