"""What the command line starts: one run, a sweep of them, or the rest of an interrupted one."""

from __future__ import annotations

import os
import shlex
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from deepcluster_pl.errors import UserError
from deepcluster_pl.folders import forget_unbegun, refuse_unusable, saved_run
from deepcluster_pl.quiet import quiet
from deepcluster_pl.recipes import conf_dir
from deepcluster_pl.results import objective
from deepcluster_pl.run import run
from deepcluster_pl.table import collect, render, rows


def run_hydra(multirun: bool) -> bool:
    """Let Hydra run what `sys.argv` holds, one job or many; True if one failed."""
    quiet()
    console = Console(highlight=False)
    failures: list[tuple[str, str]] = []
    jobs: list[str] = []

    def job(cfg: DictConfig) -> float:
        hydra_cfg = HydraConfig.get()
        overrides = list(hydra_cfg.overrides.task)
        command = shlex.join(["python", "-m", "deepcluster_pl", *overrides])
        folder = Path(hydra_cfg.runtime.output_dir)
        jobs.append(str(folder))
        if multirun:
            console.rule(f"job {len(jobs) - 1}: {' '.join(overrides)}")
        try:
            refuse_unusable(folder, "hydra.sweep.subdir" if multirun else "hydra.run.dir", has_begun=True)
            scores = run(cfg, folder, command, console)
        except UserError as error:
            failures.append((" ".join(overrides), str(error)))
            print(error, file=sys.stderr)
            if not multirun:
                forget_unbegun(folder)
            return objective(None, **cfg.objective)
        except Exception as error:
            if not multirun:
                raise
            failures.append((" ".join(overrides), _keep_traceback(folder, error)))
            print(failures[-1][1], file=sys.stderr)
            return objective(None, **cfg.objective)
        return objective(scores, **cfg.objective)

    hydra.main(config_path=str(conf_dir()), config_name="config", version_base="1.3")(job)()
    if multirun and jobs:
        console.rule("sweep")
        print_tables(console, Path(jobs[0]).parent)
        console.print(f"{len(jobs) - len(failures)} of {len(jobs)} jobs finished")
        for overrides, text in failures:
            console.print(f"failed: {overrides}: {text}", soft_wrap=True, markup=False)
    return bool(failures)


def print_tables(console: Console, folder: Path) -> None:
    """The sweep's table, of the held-out part too where there is one, and the command that makes it again."""
    for part in ("fit", "holdout"):
        recipes = collect(folder, part, ["acc", "nmi", "ari", "silhouette"])
        if part == "fit" or any(values for recipe in recipes.values() for values in recipe.values.values()):
            console.print(f"{part}:\n{render(list(rows(recipes, brief=True)), 'text')}", soft_wrap=True, markup=False)
    console.print(f"in full: python -m deepcluster_pl.table {folder}", soft_wrap=True, markup=False)


def _keep_traceback(folder: Path, error: Exception) -> str:
    (folder / "error.txt").write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    return f"{type(error).__name__}: {error} (traceback in {folder / 'error.txt'})"


def resume_run(overrides: Sequence[str]) -> bool:
    """Go on in a run's folder with the config that lies there; only the machine may differ."""
    try:
        parsed = OverridesParser.create().parse_overrides(list(overrides))
    except HydraException as error:
        raise UserError(f"{str(error).splitlines()[0]}; quote values that hold ,[]{{}}()= ") from error
    others = [o for o in parsed if o.key_or_group != "resume"]
    foreign = [str(o.input_line) for o in others if not str(o.key_or_group).startswith("trainer.")]
    if foreign:
        raise UserError(f"resume= goes on with the folder's own settings; only trainer.* may differ, not {foreign[0]}")
    target = next(o for o in parsed if o.key_or_group == "resume")
    saved = saved_run(Path(str(target.value())).expanduser().resolve())
    for override in others:
        if str(override.key_or_group).split(".")[-1] not in saved.cfg.trainer and not override.is_add():
            raise UserError(f"{override.key_or_group}: no such key in {saved.folder}/config/config.yaml")
        OmegaConf.update(saved.cfg, str(override.key_or_group), override.value(), force_add=True)
    if saved.cwd.is_dir():
        os.chdir(saved.cwd)  # relative paths in the config mean what they meant
    quiet()
    command = shlex.join(["python", "-m", "deepcluster_pl", *saved.overrides])
    run(saved.cfg, saved.folder, command, Console(highlight=False))
    return False
