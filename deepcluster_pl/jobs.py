"""What the command line starts: one run, or a sweep of them."""

from __future__ import annotations

import json
import shlex
import sys
import traceback
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from rich.console import Console

from deepcluster_pl.callbacks.interruption import InterruptedRun
from deepcluster_pl.errors import UserError
from deepcluster_pl.folders import forget_unbegun, refuse_unusable
from deepcluster_pl.quiet import quiet
from deepcluster_pl.recipes import conf_dir
from deepcluster_pl.results import objective
from deepcluster_pl.run import run
from deepcluster_pl.table import collect, published_metrics, render, rows

_ERROR = "error.txt"


def run_hydra(multirun: bool, resuming: bool = False) -> bool:
    """Let Hydra run what `sys.argv` holds, one job or many; True if one failed.

    Args:
        multirun: many.
        resuming: go on in folders that hold a run already, and keep those that are finished.
    """
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
            if resuming and (folder / "scores.json").is_file():
                console.print("finished before")
                return objective(json.loads((folder / "scores.json").read_text(encoding="utf-8")), **cfg.objective)
            if not resuming:
                refuse_unusable(folder, "hydra.sweep.subdir" if multirun else "hydra.run.dir", has_begun=True)
            scores = run(cfg, folder, command, console)
            if resuming:
                (folder / _ERROR).unlink(missing_ok=True)  # of an earlier try
        except UserError as error:
            failures.append((" ".join(overrides), str(error)))
            print(error, file=sys.stderr)
            if not multirun:
                forget_unbegun(folder)
            return objective(None, **cfg.objective)
        except InterruptedRun as end:
            if multirun:
                raise InterruptedRun(end.number, folder.parent) from end  # the sweep is what goes on
            raise
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
        metrics = dict.fromkeys(["acc", "nmi", "ari", "silhouette", *published_metrics(folder, part)])
        recipes = collect(folder, part, list(metrics))
        if part == "fit" or any(values for recipe in recipes.values() for values in recipe.values.values()):
            console.print(f"{part}:\n{render(list(rows(recipes, brief=True)), 'text')}", soft_wrap=True, markup=False)
    console.print(f"in full: python -m deepcluster_pl.table {folder}", soft_wrap=True, markup=False)


def _keep_traceback(folder: Path, error: Exception) -> str:
    (folder / _ERROR).write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    return f"{type(error).__name__}: {error} (traceback in {folder / _ERROR})"
