"""What the command line starts: one run, or a sweep of them."""

from __future__ import annotations

import json
import shlex
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from deepcluster_pl.config.allowlist import check_targets
from deepcluster_pl.config.recipes import conf_dir
from deepcluster_pl.config.validation import check
from deepcluster_pl.errors import InterruptedRun, UserError
from deepcluster_pl.evaluation.scoring import objective
from deepcluster_pl.runs.folder import check_folder_usable, job_folders, remove_unstarted, saved_run
from deepcluster_pl.runs.n_clusters_sweep import cases, report
from deepcluster_pl.runs.pipeline import run
from deepcluster_pl.runs.sweep_table import collect, published_metrics, render, rows, shared
from deepcluster_pl.utils.locking import folder_lock
from deepcluster_pl.utils.warnings_filter import silence_libraries

_ERROR = "error.txt"


def run_hydra(words: Sequence[str], sweep: Path | None, trusted: frozenset[str], resuming: bool = False) -> bool:
    """Let Hydra run one job or many.

    Args:
        words: overrides and flags for Hydra's parser.
        sweep: folder of many jobs; None for one.
        trusted: code that recipes may call.
        resuming: continue in folders that hold a run already, and skip those that are finished.

    Returns:
        True if a job failed.
    """
    silence_libraries()
    job = Job(sweep is not None, trusted, resuming)
    with _command_line(words):
        hydra.main(config_path=str(conf_dir()), config_name="config", version_base="1.3")(job)()
    if sweep is None:
        return job.failed
    console = Console(highlight=False)
    folders = job_folders(sweep)
    failed = [folder for folder in folders if not (folder / "scores.json").is_file()]
    console.rule("sweep")
    print_tables(console, sweep)
    console.print(f"{len(folders) - len(failed)} of {len(folders)} jobs finished")
    if best := _best(sweep):
        console.print(best, soft_wrap=True, markup=False)
    for folder in failed:
        console.print(f"failed: {' '.join(saved_run(folder).overrides)}: {_why(folder)}", soft_wrap=True, markup=False)
    return bool(failed)


@contextmanager
def _command_line(words: Sequence[str]) -> Iterator[None]:
    """Give Hydra, which reads `sys.argv`, these words; restore the process's own afterwards."""
    before = sys.argv
    sys.argv = [before[0], *words]
    try:
        yield
    finally:
        sys.argv = before


class Job:
    """What Hydra calls for each job: here, or where a launcher takes it, which is why its state is what it is told.

    Args:
        multirun: one job of many, of which none ends the others by failing.
        trusted: as in `run_hydra`.
        resuming: as in `run_hydra`.
    """

    __name__ = "job"

    def __init__(self, multirun: bool, trusted: frozenset[str], resuming: bool) -> None:
        self.multirun = multirun
        self.trusted = trusted
        self.resuming = resuming
        self.failed = False

    def __call__(self, cfg: DictConfig) -> float:
        """Return the objective, the worst value for a failed job; error.txt says why a sweep's job failed."""
        silence_libraries()
        hydra_cfg = HydraConfig.get()
        overrides = list(hydra_cfg.overrides.task)
        folder = Path(hydra_cfg.runtime.output_dir)
        console = Console(highlight=False)
        if self.multirun:
            console.rule(f"job {hydra_cfg.job.num}: {' '.join(overrides)}")
        try:
            scores = self._scores(cfg, folder, shlex.join(["python", "-m", "deepcluster_pl", *overrides]), console)
        except UserError as error:
            self.failed = True
            print(error, file=sys.stderr)
            if self.multirun:
                (folder / _ERROR).write_text(f"{error}\n", encoding="utf-8")
            else:
                remove_unstarted(folder)
            return objective(None, cfg.objective.metric)
        except InterruptedRun as end:
            if self.multirun:
                raise InterruptedRun(end.number, folder.parent) from end  # the sweep is what goes on
            raise
        except Exception as error:
            if not self.multirun:
                raise
            self.failed = True
            (folder / _ERROR).write_text("".join(traceback.format_exception(error)), encoding="utf-8")
            print(_why(folder), file=sys.stderr)
            return objective(None, cfg.objective.metric)
        return objective(scores, cfg.objective.metric)

    def _scores(self, cfg: DictConfig, folder: Path, command: str, console: Console) -> dict[str, Any]:
        check_targets(cfg, self.trusted)
        if self.multirun:
            check(cfg)  # jobs combine values; of a single run, the very config was checked before
        with folder_lock(folder) if self.multirun else nullcontext():
            return self._scores_alone(cfg, folder, command, console)

    def _scores_alone(self, cfg: DictConfig, folder: Path, command: str, console: Console) -> dict[str, Any]:
        """In a folder that is this process's own; of a single run it is already."""
        kept = folder / "scores.json"
        if self.resuming and kept.is_file():
            console.print("finished before")
            return dict(json.loads(kept.read_text(encoding="utf-8")))
        if not self.resuming:
            check_folder_usable(folder, "hydra.sweep.subdir" if self.multirun else "hydra.run.dir", has_begun=True)
        scores = run(cfg, folder, command, console)
        if self.resuming:
            (folder / _ERROR).unlink(missing_ok=True)  # of an earlier try
        return scores


def print_tables(console: Console, folder: Path) -> None:
    """The sweep's table, of the held-out part too where there is one, and the command that makes it again."""
    for part in ("fit", "holdout"):
        metrics = dict.fromkeys(["acc", "nmi", "ari", "silhouette", *published_metrics(folder, part)])
        recipes = collect(folder, part, list(metrics))
        if part == "fit" and (common := shared(recipes)):
            console.print(f"all with {' '.join(common)}", soft_wrap=True, markup=False)
        if part == "fit" or any(values for recipe in recipes.values() for values in recipe.values.values()):
            console.print(f"{part}:\n{render(list(rows(recipes, brief=True)), 'text')}", soft_wrap=True, markup=False)
    console.print(f"in full: deepcluster table {folder}", soft_wrap=True, markup=False)
    if several := cases(folder):
        console.print(f"how many clusters?\n{report(several)}", soft_wrap=True, markup=False)


def _best(sweep: Path) -> str:
    """What a search found best, and by what; nothing where nothing was searched for."""
    file = sweep / "optimization_results.yaml"
    if not file.is_file():
        return ""
    found: Any = OmegaConf.to_container(OmegaConf.load(file))
    kept = saved_run(job_folders(sweep)[0]).cfg.objective
    labels = " (chosen with labels)" if kept.uses_labels else ""
    typed = " ".join(f"{key}={value}" for key, value in found.get("best_params", {}).items())
    return f"best {kept.metric} {found['best_value']:.4g}{labels}: {typed}" if typed else ""


def _why(folder: Path) -> str:
    """What error.txt says in its last line, and where the rest is."""
    file = folder / _ERROR
    if not file.is_file():
        return f"neither scores nor an error in {folder}"
    lines = file.read_text(encoding="utf-8").splitlines() or ["an empty error.txt"]
    return lines[-1] if len(lines) == 1 else f"{lines[-1]} (traceback in {file})"
