"""Carry out `resume=<folder>`: the rest of an interrupted run or sweep."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import OmegaConf

from deepcluster_pl.cli.opening import say
from deepcluster_pl.config.allowlist import allowed_by, check_allowed
from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.quoting import make_paths_absolute, quote_paths
from deepcluster_pl.errors import UserError, first_line
from deepcluster_pl.runs.folder import SavedSweep, check_no_links, is_sweep, job_folders, saved_run, saved_sweep
from deepcluster_pl.utils.locking import folder_lock
from deepcluster_pl.utils.quick_imports import quick_imports


def resume(overrides: Sequence[str], config_dir: str | None) -> bool:
    """Resume the run or sweep in the folder that `resume=` names.

    The folder may come from anywhere. Its config may call only what the shipped recipes call, and the recipes in
    `config_dir`, which has to be typed again.

    Args:
        overrides: the words as typed, `resume=` among them.
        config_dir: folder of the user's own recipes, or None.

    Returns:
        True if a job of a sweep failed.

    Raises:
        UserError: the folder holds nothing to resume, or a word does not belong here.
    """
    # Find the folder among the words
    try:
        parsed = OverridesParser.create().parse_overrides(list(overrides))
    except HydraException as error:
        raise UserError(f"{first_line(error)}; quote values that hold ,[]{{}}()=") from error
    target = next(override for override in parsed if override.key_or_group == "resume")
    others = [override for override in parsed if override.key_or_group != "resume"]
    folder = Path(str(target.value())).expanduser().resolve()
    check_no_links(folder)
    # Resume a sweep, refuse a search, or resume a run
    if is_sweep(folder):
        if others:
            raise UserError(f"resume= resumes a sweep as it was typed; leave out {others[0].input_line}")
        return _resume_sweep(saved_sweep(folder), config_dir)
    if not (folder / "config").exists() and job_folders(folder):
        raise UserError(
            f"{folder} is a search (hydra/sweeper=...), which cannot be resumed; start another that builds on it by "
            f"hydra.sweeper.storage=sqlite:///<file> hydra.sweeper.study_name=<name> in both"
        )
    return _resume_run(folder, others, config_dir)


def _resume_run(folder: Path, others: Sequence[Override], config_dir: str | None) -> bool:
    """Resume the run in a folder with the config that is stored there; only settings of the Trainer may differ."""
    fixed = [str(other.input_line) for other in others if not str(other.key_or_group).startswith("trainer.")]
    if fixed:
        raise UserError(f"resume= uses the settings stored in the folder; only trainer.* may differ, not {fixed[0]}")
    saved = saved_run(folder)
    for override in others:
        if str(override.key_or_group).split(".")[-1] not in saved.cfg.trainer and not override.is_add():
            raise UserError(f"{override.key_or_group}: no such key in {saved.folder}/config/config.yaml")
        OmegaConf.update(saved.cfg, str(override.key_or_group), override.value(), force_add=True)
    check_allowed(saved.cfg, allowed_by(_recipe_folders(config_dir)))
    say(f"the run in {saved.folder} resumes: method={saved.cfg.method.name}, seed={saved.cfg.seed}")
    # These import torch
    with quick_imports():
        from rich.console import Console

        from deepcluster_pl.config.validation import check
        from deepcluster_pl.runs.failures import friendly_errors
        from deepcluster_pl.runs.pipeline import run
        from deepcluster_pl.utils.warnings_filter import silence_libraries
    check(saved.cfg)
    make_paths_absolute(saved.cfg, saved.cwd)
    silence_libraries()
    command = shlex.join(["python", "-m", "deepcluster_pl", *saved.overrides])
    with friendly_errors(saved.folder), folder_lock(saved.folder):
        run(saved.cfg, saved.folder, command, Console(highlight=False, markup=False))
    return False


def _resume_sweep(saved: SavedSweep, config_dir: str | None) -> bool:
    """Resume a sweep in its folder: skip finished jobs, resume the interrupted one, run the others."""
    folders = _recipe_folders(config_dir)
    if saved.config_dir is not None and not folders:
        option = shlex.join(["--config-dir", str(saved.config_dir)])
        raise UserError(f"{saved.folder} was made with recipes of its own; add {option} if you trust them")
    composition = compose_checked(saved.overrides, True, config_dir)
    if composition.problems:
        raise UserError("\n".join([f"{saved.folder}/multirun.yaml:", *composition.problems]))
    if sys.version_info < (3, 11) and saved.cwd.resolve() != Path.cwd():
        # Python would let processes of a launcher import modules from the folder that they start in
        raise UserError(f"{saved.folder} was started in {saved.cwd}; type {shlex.join(['cd', str(saved.cwd)])} first")
    if saved.cwd.is_dir():
        # The folder may be anybody's, so no process of ours imports modules from it
        os.environ["PYTHONSAFEPATH"] = "1"
        sys.path[:] = [str(Path(path).absolute()) for path in sys.path]
        os.chdir(saved.cwd)
    say(f"the sweep in {saved.folder} resumes")
    # These import torch
    with quick_imports():
        from deepcluster_pl.cli.sweep_jobs import run_hydra
        from deepcluster_pl.runs.failures import friendly_errors
    location = quote_paths([f"hydra.sweep.dir={saved.folder}"])
    recipes = [text for folder in folders for text in ("--config-dir", str(folder))]
    with friendly_errors(saved.folder), folder_lock(saved.folder):
        words = ["-m", *saved.overrides, *location, *recipes]
        return run_hydra(words, saved.folder, allowed_by(folders), resuming=True)


def _recipe_folders(config_dir: str | None) -> list[Path]:
    """Return the folders of the user's own recipes."""
    return [Path(config_dir).expanduser().resolve()] if config_dir else []
