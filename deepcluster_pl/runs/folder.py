"""A run's folder before the run: can it be written, is it free, what was saved in it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from deepcluster_pl.errors import UserError
from deepcluster_pl.utils.locking import LOCK

_TRACES = (
    "scores.json", "assignments.csv", "checkpoints", "start.safetensors", "model", "figures", "pretrain", "fit",
    "error.txt",
)  # fmt: skip
_WRITTEN_FIRST = ("config", "multirun.yaml")  # by Hydra, before a job begins
_HYDRAS = ("config.yaml", "hydra.yaml", "overrides.yaml")


def check_folder_usable(folder: Path, option: str, has_begun: bool = False) -> None:
    """Raise `UserError` if a folder cannot be written, or holds a run already; leaves nothing behind.

    Args:
        folder: a run's, or a sweep's.
        option: what chooses it, for the message.
        has_begun: whether Hydra has already written its part of this very run.
    """
    try:
        taken = [name for name in (*_TRACES, *(() if has_begun else _WRITTEN_FIRST)) if (folder / name).exists()]
        ancestor = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
        if not ancestor.is_dir():
            raise UserError(f"{folder} cannot be made: {ancestor} is a file; type {option}=<another folder>")
        with tempfile.TemporaryFile(dir=ancestor):
            pass
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror}; type {option}=<another folder>") from error
    if taken:
        hint = f" type resume={folder} to go on, or" if option != "hydra.sweep.subdir" else ""
        raise UserError(f"{folder} holds a run already ({taken[0]});{hint} {option}=<another folder>")


def remove_unstarted(folder: Path) -> None:
    """Empty a folder that holds nothing but its lock and the config Hydra wrote for a run that was refused."""
    config = folder / "config"
    if [path for path in folder.iterdir() if path.name != LOCK] == [config] and {
        path.name for path in config.iterdir()
    } <= set(_HYDRAS):
        for path in config.iterdir():
            path.unlink()
        config.rmdir()


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
    except (OSError, OmegaConfBaseException, ValueError, YAMLError) as error:
        raise UserError(
            f"resume={folder}: no run's folder (config/config.yaml cannot be read: {str(error).splitlines()[0]})"
        ) from error
    if not isinstance(cfg, DictConfig):
        raise UserError(f"resume={folder}: config/config.yaml is not a run's config")
    return SavedRun(folder, cfg, [str(override) for override in overrides], cwd)


def job_folders(sweep: Path) -> list[Path]:
    """The folders of a sweep's jobs, those that failed included, in the order of the jobs."""
    kept = [path.parent for path in sweep.rglob("config/hydra.yaml")]
    numbers = {path.parent: OmegaConf.select(OmegaConf.load(path / "hydra.yaml"), "hydra.job.num") for path in kept}
    return sorted(numbers, key=lambda folder: int(numbers[folder]))


@dataclass(frozen=True)
class SavedSweep:
    """What an earlier sweep was asked to do.

    Attributes:
        folder: where it is, its jobs below it.
        overrides: what was typed, its own folder left out.
        cwd: where it was typed.
        config_dir: the user's own recipes, if any were named.
    """

    folder: Path
    overrides: list[str]
    cwd: Path
    config_dir: Path | None


def is_sweep(folder: Path) -> bool:
    """Whether a folder is a sweep's."""
    return (folder / "multirun.yaml").is_file()


def saved_sweep(folder: Path) -> SavedSweep:
    """Read what the sweep in `folder` was asked to do."""
    try:
        kept = OmegaConf.load(folder / "multirun.yaml")
        typed = [str(text) for name in ("hydra", "task") for text in OmegaConf.select(kept, f"hydra.overrides.{name}")]
        cwd = Path(str(OmegaConf.select(kept, "hydra.runtime.cwd")))
        sources = {source.provider: source.path for source in OmegaConf.select(kept, "hydra.runtime.config_sources")}
    except (OSError, OmegaConfBaseException, TypeError, AttributeError, ValueError, YAMLError) as error:
        raise UserError(f"resume={folder}: multirun.yaml cannot be read: {str(error).splitlines()[0]}") from error
    own = ("hydra.sweep.dir=", "hydra.mode=")
    recipes = sources.get("command-line")
    return SavedSweep(
        folder, [text for text in typed if not text.startswith(own)], cwd, Path(recipes) if recipes else None
    )
