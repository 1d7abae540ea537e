"""Check that a folder can take a run, and read the settings that an earlier run or sweep stored in its folder."""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from deepcluster_pl.config.quoting import quote_paths
from deepcluster_pl.config.renamed_targets import rename_targets
from deepcluster_pl.errors import UserError, first_line, resume_command
from deepcluster_pl.utils.locking import lock_files
from deepcluster_pl.utils.run_folder import RunFolder

_VALUE = re.compile(r"\$\{([\w.@/]+)\}")
"""A plain interpolation, such as `${seed}`."""
_HYDRA_FILES = ("config.yaml", "hydra.yaml", "overrides.yaml")


def check_folder_usable(folder: Path, option: str, has_begun: bool = False) -> None:
    """Raise `UserError` if a folder cannot be written, or is neither new nor empty. No file is left in it.

    Args:
        folder: folder of a new run or a new sweep.
        option: the setting that chooses it, for the message.
        has_begun: whether Hydra has written the config of this run.
    """
    _check_writable(folder, option)
    run = RunFolder(folder)
    try:
        locks = {path.name for path in lock_files(run)}  # of this process, or of one that was killed at once
        taken = sorted({path.name for path in folder.iterdir()} - locks) if folder.exists() else []
        if has_begun:
            # The config is of this run, if nothing else is beside it
            config = {path.name for path in run.config.iterdir()} if run.config.is_dir() else set()
            taken = [name for name in taken if name != run.config.name or not config <= set(_HYDRA_FILES)]
        has_config_left = not has_begun and holds_unfinished_config(folder)
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {error.strerror}; type {option}=<another folder>") from error
    if not taken or has_config_left:
        return
    if is_run(folder) or is_sweep(folder):
        first = next((name for name in taken if name in run.run_names), taken[0])
        hint = f" type {resume_command(folder)} to continue it, or" if option != "hydra.sweep.subdir" else " type"
        raise UserError(f"{folder} holds a run already ({first});{hint} {option}=<another folder>")
    raise UserError(f"{folder} is not empty: found {taken[0]!r}; type {option}=<a new or an empty folder>")


def check_subdir(typed: str, configs: Iterable[DictConfig], overrides: Sequence[str]) -> None:
    """Raise `UserError` if the folders of a sweep's jobs would not be below that of the sweep.

    Args:
        typed: the value of hydra.sweep.subdir, in which `${...}` stands for a value of each job.
        configs: configs of the jobs; every value of the sweep is in one of them.
        overrides: as typed, for `${hydra.job.override_dirname}`.
    """

    def value(cfg: DictConfig, match: re.Match[str]) -> str:
        if match[1].startswith("hydra.job."):
            return ",".join(overrides) if match[1] == "hydra.job.override_dirname" else "0"
        return str(OmegaConf.select(cfg, match[1], throw_on_resolution_failure=False))

    for cfg in configs:
        name = _VALUE.sub(partial(value, cfg), typed)
        if Path(name).is_absolute() or ".." in Path(name).parts or "${" in name:
            raise UserError(
                f"hydra.sweep.subdir={typed} leads out of the sweep's folder; type a name without .. and / first"
            )


def _check_writable(folder: Path, option: str) -> None:
    """Raise `UserError` if a folder cannot be made or written. No file is left in it.

    Args:
        folder: the folder; it need not exist.
        option: the setting that chooses it, for the message.
    """
    try:
        ancestor = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
        if not ancestor.is_dir():
            raise UserError(f"{folder} cannot be made: {ancestor} is a file; type {option}=<another folder>")
        with tempfile.TemporaryFile(dir=ancestor):
            pass
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror}; type {option}=<another folder>") from error


def check_no_links(folder: Path) -> None:
    """Raise `UserError` if a link in a run folder, or a sweep's, would be written through when it is resumed.

    Args:
        folder: the folder. Of a run, only the names that a run writes are checked; of a sweep, everything.
    """
    tops = [folder] if is_sweep(folder) else [folder / name for name in sorted(RunFolder(folder).run_names)]
    for top in tops:
        entries = [] if top == folder else [top]
        entries += [Path(root) / name for root, below, files in os.walk(top) for name in (*below, *files)]
        link = next((entry for entry in entries if entry.is_symlink()), None)
        if link is not None:
            text = f"resume={folder}: {link.relative_to(folder)} is a link, and the run would write through it"
            raise UserError(f"{text}; put the file or folder itself in its place")


def is_run(folder: Path) -> bool:
    """Return whether a folder is marked as that of a run, by the config that Hydra wrote."""
    return (RunFolder(folder).config / "config.yaml").is_file()


def holds_unfinished_config(folder: Path) -> bool:
    """Return whether a folder holds no more than a config that Hydra was writing when its process was killed.

    The killed process left its lock. Without one the config may be the user's own.
    """
    run = RunFolder(folder)
    if not (run.config.is_dir() and run.lock.is_file()):
        return False
    others = {path.name for path in folder.iterdir()} - {run.lock.name, run.owner.name, run.config.name}
    if others or not {path.name for path in run.config.iterdir()} <= set(_HYDRA_FILES):
        return False
    return not all(_is_whole(run.config / name) for name in _HYDRA_FILES)


def _is_whole(path: Path) -> bool:
    """Return whether a YAML file was written to its end: Hydra ends it with a line end, and no value is missing."""
    try:
        return path.read_bytes().endswith(b"\n") and OmegaConf.load(path) is not None
    except (OSError, OmegaConfBaseException, ValueError, YAMLError):
        return False


def _command_of_unfinished(folder: Path) -> str:
    """Return the command that begins the run whose config is unfinished; words for it where it was not stored yet."""
    try:
        cfg = OmegaConf.load(RunFolder(folder).config / "hydra.yaml")
        overrides, recipes = cfg.hydra.overrides, _recipes_of(cfg)
        typed = [text for text in overrides.hydra if not text.startswith(("hydra.run.dir=", "hydra.mode="))]
        own = ["--config-dir", str(recipes)] if recipes else []
        words = [*own, *overrides.task, *typed, *quote_paths([f"hydra.run.dir={folder}"])]
        return shlex.join(["deepcluster", *words]) + (f", if you trust the recipes in {recipes}" if recipes else "")
    except (OSError, OmegaConfBaseException, ValueError, TypeError, AttributeError, YAMLError):
        return f"the command of that run again, with {shlex.quote(f'hydra.run.dir={folder}')}"


def _recipes_of(cfg: Any) -> Path | None:
    """Return the folder of the user's own recipes that a stored config of Hydra's was composed with, or None."""
    sources = {source.provider: source.path for source in OmegaConf.select(cfg, "hydra.runtime.config_sources")}
    return Path(sources["command-line"]) if sources.get("command-line") else None


def remove_unstarted(folder: Path) -> None:
    """Remove the config that Hydra wrote for a refused run, if the folder holds nothing else but its lock."""
    run = RunFolder(folder)
    if {path.name for path in folder.iterdir()} - {run.lock.name, run.owner.name} != {run.config.name}:
        return
    files = list(run.config.iterdir())
    if {path.name for path in files} <= set(_HYDRA_FILES):
        for path in files:
            path.unlink()
        run.config.rmdir()


@dataclass(frozen=True)
class SavedRun:
    """Settings of an earlier run.

    Attributes:
        folder: its folder.
        cfg: its composed config.
        overrides: overrides as typed.
        cwd: folder that the command was typed in.
    """

    folder: Path
    cfg: DictConfig
    overrides: list[str]
    cwd: Path


def saved_run(folder: Path, option: str = "resume") -> SavedRun:
    """Read the settings of the run in a folder.

    Args:
        folder: the run folder.
        option: the setting that names it, for the message.

    Returns:
        The settings, with class names of earlier versions replaced by today's.

    Raises:
        UserError: the folder holds no run; the text names runs below it.
    """
    config = RunFolder(folder).config
    if folder.is_dir() and holds_unfinished_config(folder):
        command = _command_of_unfinished(folder)
        raise UserError(f"{option}={folder}: nothing was begun there, its config is unfinished; type {command}")
    try:
        cfg = OmegaConf.load(config / "config.yaml")
        hydra_cfg = OmegaConf.load(config / "hydra.yaml")
        overrides = OmegaConf.load(config / "overrides.yaml")
        cwd = Path(str(OmegaConf.select(hydra_cfg, "hydra.runtime.cwd", default=".")))
    except FileNotFoundError as error:
        below = sorted(path.parent.parent for path in folder.glob("*/config/config.yaml"))
        newest = shlex.quote(f"{option}={below[-1]}") if below else ""
        hint = f"; type {newest} for the newest of {len(below)} runs in it" if below else ""
        raise UserError(f"{option}={folder}: no run folder (found no config/config.yaml){hint}") from error
    except OSError as error:
        raise UserError(f"{option}={folder}: {error.filename} cannot be read: {error.strerror}") from error
    except (OmegaConfBaseException, ValueError, YAMLError) as error:
        raise UserError(f"{option}={folder}: config/config.yaml cannot be read: {first_line(error)}") from error
    if not isinstance(cfg, DictConfig):
        raise UserError(f"{option}={folder}: config/config.yaml is not a run's config")
    rename_targets(cfg)
    return SavedRun(folder, cfg, [str(override) for override in overrides], cwd)


def job_folders(sweep: Path) -> list[Path]:
    """Return the folders of all jobs of a sweep, failed ones included, in the order of the jobs."""
    numbers: dict[Path, int] = {}
    for path in sweep.rglob("config/hydra.yaml"):
        try:
            number = OmegaConf.select(OmegaConf.load(path), "hydra.job.num", throw_on_missing=False, default=None)
        except (OSError, OmegaConfBaseException, ValueError, YAMLError):
            continue  # killed while Hydra wrote it
        if number is not None:  # a single run has no number
            numbers[path.parent.parent] = int(number)
    return sorted(numbers, key=lambda folder: numbers[folder])


@dataclass(frozen=True)
class SavedSweep:
    """Settings of an earlier sweep.

    Attributes:
        folder: its folder, which contains those of the jobs.
        overrides: overrides as typed, without the sweep's folder.
        cwd: folder that the command was typed in.
        config_dir: folder of the user's own recipes, or None.
    """

    folder: Path
    overrides: list[str]
    cwd: Path
    config_dir: Path | None


def is_sweep(folder: Path) -> bool:
    """Return whether a folder is that of a sweep."""
    return RunFolder(folder).multirun.is_file()


def saved_sweep(folder: Path) -> SavedSweep:
    """Read the settings of the sweep in a folder; raise `UserError` if they cannot be read."""
    try:
        cfg = OmegaConf.load(RunFolder(folder).multirun)
        typed = [str(text) for name in ("hydra", "task") for text in OmegaConf.select(cfg, f"hydra.overrides.{name}")]
        cwd = Path(str(OmegaConf.select(cfg, "hydra.runtime.cwd")))
        recipes = _recipes_of(cfg)
    except (OSError, OmegaConfBaseException, TypeError, AttributeError, ValueError, YAMLError) as error:
        raise UserError(f"resume={folder}: multirun.yaml cannot be read: {first_line(error)}") from error
    overrides = [text for text in typed if not text.startswith(("hydra.sweep.dir=", "hydra.mode="))]
    return SavedSweep(folder, overrides, cwd, recipes)
