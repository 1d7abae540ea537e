"""Start one run, or the jobs of a sweep, through Hydra, and print the summary of a sweep."""

from __future__ import annotations

import os
import shlex
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import CompactHydraException
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from deepcluster_pl.config.allowlist import Allowed, check_allowed
from deepcluster_pl.config.recipes import conf_dir
from deepcluster_pl.config.validation import check
from deepcluster_pl.errors import InterruptedRun, UserError
from deepcluster_pl.evaluation.scoring import objective
from deepcluster_pl.runs.folder import check_folder_usable, is_sweep, job_folders, remove_unstarted, saved_run
from deepcluster_pl.runs.n_clusters_sweep import comparison, read_candidates
from deepcluster_pl.runs.pipeline import run
from deepcluster_pl.runs.saved_scores import read_scores
from deepcluster_pl.runs.sweep_table import (
    collect_scores,
    common_overrides,
    published_metrics,
    render_table,
    table_rows,
)
from deepcluster_pl.utils.locking import folder_lock
from deepcluster_pl.utils.run_folder import RunFolder
from deepcluster_pl.utils.warnings_filter import silence_libraries

_ERROR_FILE = "error.txt"
_FULL_ERROR = "HYDRA_FULL_ERROR"


def run_hydra(words: Sequence[str], sweep: Path | None, allowed: Allowed, resuming: bool = False) -> bool:
    """Let Hydra run one job, or the jobs of a sweep and then print their summary.

    Args:
        words: overrides and flags for Hydra's parser.
        sweep: the sweep's folder; None for a single job.
        allowed: code that recipes may call.
        resuming: continue in folders that hold a run already, and skip finished jobs.

    Returns:
        True if a job failed.

    Raises:
        UserError: Hydra refuses the words.
        InterruptedRun: a signal arrived; it names the folder that can be resumed, if there is one.
    """
    silence_libraries()
    job = Job(sweep is not None, allowed, resuming)
    try:
        with _command_line(words), _errors_passed_on():
            hydra.main(config_path=str(conf_dir()), config_name="config", version_base="1.3")(job)()
    except CompactHydraException as error:
        raise UserError("\n".join(str(text) for text in (error, error.__cause__) if text)) from error
    except InterruptedRun as end:
        raise (InterruptedRun(end.number, sweep) if sweep is not None and is_sweep(sweep) else end) from None
    return job.failed if sweep is None else _summarize_sweep(sweep)


@contextmanager
def _command_line(words: Sequence[str]) -> Iterator[None]:
    """Put words into `sys.argv`, which Hydra reads; restore it afterwards."""
    before = sys.argv
    sys.argv = [before[0], *words]
    try:
        yield
    finally:
        sys.argv = before


@contextmanager
def _errors_passed_on() -> Iterator[None]:
    """Let Hydra raise the errors of a job as they are; by default it prints them itself and exits."""
    before = os.environ.get(_FULL_ERROR)
    os.environ[_FULL_ERROR] = "1"
    try:
        yield
    finally:
        os.environ.pop(_FULL_ERROR) if before is None else os.environ.update({_FULL_ERROR: before})


class Job:
    """Function that Hydra calls for each job, in this process or where a launcher takes it.

    A launcher pickles it, so its state is that of its arguments.

    Args:
        multirun: whether the job is one of a sweep. Then its failure does not end the other jobs.
        allowed: code that recipes may call.
        resuming: continue in folders that hold a run already, and skip finished jobs.

    Attributes:
        failed: whether a job failed in this process.
    """

    __name__ = "job"

    def __init__(self, multirun: bool, allowed: Allowed, resuming: bool) -> None:
        self.multirun = multirun
        self.allowed = allowed
        self.resuming = resuming
        self.failed = False

    def __call__(self, cfg: DictConfig) -> float:
        """Carry out a job; in a sweep, write the reason of a failure into error.txt.

        Args:
            cfg: the composed config.

        Returns:
            The objective; the worst value for a failed job.

        Raises:
            InterruptedRun: a signal arrived.
        """
        silence_libraries()
        hydra_cfg = HydraConfig.get()
        overrides = list(hydra_cfg.overrides.task)
        folder = Path(hydra_cfg.runtime.output_dir)
        console = Console(highlight=False, markup=False)
        if self.multirun:
            console.rule(f"job {hydra_cfg.job.num}: {' '.join(overrides)}")
        try:
            scores = self._check_and_run(cfg, folder, overrides, console)
        except UserError as error:
            self.failed = True
            print(error, file=sys.stderr)
            if self.multirun:
                (folder / _ERROR_FILE).write_text(f"{error}\n", encoding="utf-8")
            else:
                remove_unstarted(folder)
            return objective(None, cfg.objective.metric)
        except InterruptedRun as end:
            if not self.multirun and end.folder is None:
                remove_unstarted(folder)
            raise
        except Exception as error:
            if not self.multirun:
                raise
            self.failed = True
            (folder / _ERROR_FILE).write_text("".join(traceback.format_exception(error)), encoding="utf-8")
            print(_failure_reason(folder), file=sys.stderr)
            return objective(None, cfg.objective.metric)
        return objective(scores, cfg.objective.metric)

    def _check_and_run(self, cfg: DictConfig, folder: Path, overrides: list[str], console: Console) -> dict[str, Any]:
        """Check the config, lock the folder of a sweep's job, and return the job's scores."""
        check_allowed(cfg, self.allowed)
        if self.multirun:
            check(cfg)  # a sweep combines values; the config of a single run was checked before
        with folder_lock(folder) if self.multirun else nullcontext():  # a single run folder is locked already
            return self._run_or_skip(cfg, folder, overrides, console)

    def _run_or_skip(self, cfg: DictConfig, folder: Path, overrides: list[str], console: Console) -> dict[str, Any]:
        """Carry out the job, unless it is finished; return its scores."""
        earlier = _scores_if_intact(folder) if self.resuming else None
        # Scores are written before pages; a job that was killed in between makes its pages now
        if earlier is not None and (RunFolder(folder).report.is_file() or earlier.get("warnings")):
            console.print("finished before")
            return earlier
        if not self.resuming:
            check_folder_usable(folder, "hydra.sweep.subdir" if self.multirun else "hydra.run.dir", has_begun=True)
        command = shlex.join(["python", "-m", "deepcluster_pl", *_recipe_folder(), *overrides])
        scores = run(cfg, folder, command, console)
        if self.resuming:
            (folder / _ERROR_FILE).unlink(missing_ok=True)  # of an earlier attempt
        return scores


def _recipe_folder() -> list[str]:
    """Return the flag that names the user's own recipes, as it was resolved; nothing where there are none."""
    sources = HydraConfig.get().runtime.config_sources
    folders = [source.path for source in sources if source.provider == "command-line"]
    return ["--config-dir", str(folders[0])] if folders else []


def _scores_if_intact(folder: Path) -> dict[str, Any] | None:
    """Return the scores of a job; None where there are none, or where they are damaged and are made again."""
    try:
        return read_scores(folder)
    except UserError:
        return None


def _summarize_sweep(sweep: Path) -> bool:
    """Print the tables of a sweep, the best job of a search, and failures; return True if a job failed."""
    console = Console(highlight=False, markup=False)
    folders = job_folders(sweep)
    failed = [folder for folder in folders if not (folder / "scores.json").is_file()]
    console.rule("sweep")
    _print_tables(console, sweep)
    console.print(f"{len(folders) - len(failed)} of {len(folders)} jobs finished")
    if best := _best_of_search(sweep):
        console.print(best, soft_wrap=True, markup=False)
    for folder in failed:
        overrides = " ".join(saved_run(folder).overrides)
        console.print(f"failed: {overrides}: {_failure_reason(folder)}", soft_wrap=True, markup=False)
    return bool(failed)


def _print_tables(console: Console, sweep: Path) -> None:
    """Print the scores of each part, the command that prints them in full, and the numbers of clusters tried."""
    for part in ("fit", "holdout"):
        metrics = dict.fromkeys(["acc", "nmi", "ari", "silhouette", *published_metrics(sweep, part)])
        recipes = collect_scores(sweep, part, list(metrics))
        if part == "fit" and (common := common_overrides(recipes)):
            console.print(f"all with {' '.join(common)}", soft_wrap=True, markup=False)
        if part == "fit" or any(values for recipe in recipes.values() for values in recipe.values.values()):
            table = render_table(list(table_rows(recipes, brief=True)), "text")
            console.print(f"{part}:\n{table}", soft_wrap=True, markup=False)
    command = shlex.join(["deepcluster", "table", str(sweep)])
    console.print(f"in full: {command}", soft_wrap=True, markup=False)
    if candidates := read_candidates(sweep):
        console.print(f"how many clusters?\n{comparison(candidates)}", soft_wrap=True, markup=False)


def _best_of_search(sweep: Path) -> str:
    """Describe the best job of a search; return an empty string for a sweep without a search."""
    file = sweep / "optimization_results.yaml"
    if not file.is_file():
        return ""
    results: Any = OmegaConf.to_container(OmegaConf.load(file))
    objective_cfg = saved_run(job_folders(sweep)[0]).cfg.objective
    labels = " (chosen with labels)" if objective_cfg.uses_labels else ""
    typed = " ".join(f"{key}={value}" for key, value in results.get("best_params", {}).items())
    return f"best {objective_cfg.metric} {results['best_value']:.4g}{labels}: {typed}" if typed else ""


def _failure_reason(folder: Path) -> str:
    """Return the last line of a job's error.txt, and the file's path if it holds more."""
    file = folder / _ERROR_FILE
    if not file.is_file():
        return f"neither scores nor an error in {folder}"
    lines = file.read_text(encoding="utf-8").splitlines() or ["an empty error.txt"]
    return lines[-1] if len(lines) == 1 else f"{lines[-1]} (traceback in {file})"
