"""A run's folder before the run: can it be written, is it free, what was saved in it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from deepcluster_pl.errors import UserError

_TRACES = ("scores.json", "checkpoints", "start.safetensors", "model", "multirun.yaml")


def refuse_unusable(folder: Path, is_sweep: bool) -> None:
    """Raise `UserError` if a folder cannot be written, or holds a run already; leaves nothing behind."""
    option = "hydra.sweep.dir" if is_sweep else "hydra.run.dir"
    try:
        taken = [name for name in _TRACES if (folder / name).exists()]
        ancestor = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
        if not ancestor.is_dir():
            raise UserError(f"{folder} cannot be made: {ancestor} is a file; type {option}=<another folder>")
        with tempfile.TemporaryFile(dir=ancestor):
            pass
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror}; type {option}=<another folder>") from error
    if taken:
        hint = "" if is_sweep else f" type resume={folder} to go on, or"
        raise UserError(f"{folder} holds a run already ({taken[0]});{hint} {option}=<another folder>")


@dataclass(frozen=True)
class SavedRun:
    """What an earlier run was asked to do.

    Attributes:
        folder: where it is.
        cfg: its composed config.
        overrides: what was typed.
        cwd: where it was typed.
    """

    folder: Path
    cfg: DictConfig
    overrides: list[str]
    cwd: Path


def saved_run(folder: Path) -> SavedRun:
    """Read the config of the run in `folder`."""
    kept = folder / "config"
    try:
        cfg = OmegaConf.load(kept / "config.yaml")
        hydra_cfg = OmegaConf.load(kept / "hydra.yaml")
        overrides = OmegaConf.load(kept / "overrides.yaml")
        cwd = Path(str(OmegaConf.select(hydra_cfg, "hydra.runtime.cwd", default=".")))
    except (OSError, OmegaConfBaseException, ValueError) as error:
        raise UserError(f"resume={folder}: no run's folder (config/config.yaml cannot be read: {error})") from error
    if not isinstance(cfg, DictConfig):
        raise UserError(f"resume={folder}: config/config.yaml is not a run's config")
    return SavedRun(folder, cfg, [str(override) for override in overrides], cwd)
