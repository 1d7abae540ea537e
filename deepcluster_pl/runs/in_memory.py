"""Carry out a recipe on samples in memory, quietly, and without lasting changes of global state."""

from __future__ import annotations

import copy
import os
import signal
import tempfile
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig, open_dict
from pytorch_lightning.utilities.seed import isolate_rng
from rich.console import Console

from deepcluster_pl.config.allowlist import allowed_by, check_allowed
from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.nodes import with_n_clusters, without_hydra
from deepcluster_pl.config.validation import check
from deepcluster_pl.data.samples import Table
from deepcluster_pl.errors import InterruptedRun, UserError, first_line
from deepcluster_pl.evaluation.find_levels import make_levels
from deepcluster_pl.evaluation.projection import map_coordinates
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.initialization.cluster_number import ROWS_A_CLUSTER
from deepcluster_pl.methods.initialization.n_clusters import AUTO
from deepcluster_pl.reporting.html_report.page import ReportContent, save_report
from deepcluster_pl.runs.conclusion import conclude
from deepcluster_pl.runs.pipeline import run_on_samples
from deepcluster_pl.runs.results import evaluate
from deepcluster_pl.runs.trained import Trained
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.csv_logger import read_curves
from deepcluster_pl.utils.provenance import commit
from deepcluster_pl.utils.run_folder import RunFolder
from deepcluster_pl.utils.warnings_filter import silenced_libraries

_PARAMETERS = {
    "method": "method", "n_clusters": "n_clusters", "seed": "random_state", "trainer.accelerator": "accelerator",
    "outliers": "outliers",
}  # fmt: skip
"""Parameters of the estimator, by the key of the config that each of them sets."""
_FOLDER_KEYS = ("data", "data.path", "data.name", "experiment", "resume", "ckpt_path", "hydra")
"""Keys that have a meaning only for runs in folders."""
_one_at_a_time = threading.RLock()
"""A fit seeds the global generators and changes settings of the process, so the fits of several threads take turns."""


@dataclass(frozen=True)
class Fitted:
    """Result of a recipe on samples in memory.

    Attributes:
        module: the trained method, on the CPU, without its Trainer.
        description: content of model.json, which says how to build it; see `methods.serialization.model_description`.
        history: points (n, 2) of each curve, as (optimizer step, value).
        candidates: with method=auto, a row for each recipe that was tried; else None.
        scaling: the columns that were scaled already, in words; empty without any.
        outside: numbers of the samples that are in no group.
        trained: all of it, with the samples, for a report.
        metrics: content of the files of the curves, for a report.
    """

    module: ClusteringModule
    description: dict[str, Any]
    history: dict[str, NDArray[np.float64]]
    candidates: list[dict[str, Any]] | None
    scaling: str
    outside: NDArray[np.int64]
    trained: Trained
    metrics: list[str]


def fit_samples(samples: Table, settings: dict[str, Any], overrides: Sequence[str], verbose: bool) -> Fitted:
    """Compose a recipe and carry it out.

    Args:
        samples: the samples.
        settings: the caller's settings, by key of the config.
        overrides: further settings, as typed on the command line.
        verbose: whether progress is printed.

    Returns:
        The trained method, its description and its curves.

    Raises:
        UserError: a setting or the samples are unusable.
        KeyboardInterrupt: Ctrl-C was typed.
        SystemExit: another signal arrived.
    """
    # In notebooks rich would need widgets for a bar; plain lines appear everywhere
    console = Console(highlight=False, markup=False, quiet=not verbose, force_jupyter=False)
    with (
        _one_at_a_time,
        tempfile.TemporaryDirectory() as scratch,
        _environment_restored(),
        silenced_libraries(),
        isolate_rng(),
    ):
        folder, cfg = RunFolder(Path(scratch)), _with_number(compose(settings, overrides, verbose), samples.n)
        try:
            trained = run_on_samples(cfg, samples, folder.path, console)
        except InterruptedRun as end:
            if end.number == signal.SIGINT:
                raise KeyboardInterrupt from None
            raise SystemExit(128 + end.number) from None
        module = trained.method.detached()
        description = trained.description()
        files = (trained.choice.folder if trained.choice else folder).all_metrics
        curves, metrics = read_curves(files), [_text_of(file) for file in files]
    history = {name: np.array(sorted(points.items()), dtype=np.float64) for name, points in curves.items()}
    candidates = trained.choice.candidates if trained.choice else None
    outside = _outside(trained)
    return Fitted(module, description, history, candidates, trained.data.scaling.remark, outside, trained, metrics)


def _with_number(cfg: DictConfig, n: int) -> DictConfig:
    """Return the config with the smallest number of clusters where n samples are too few to estimate one."""
    least = ROWS_A_CLUSTER * cfg.choose.smallest
    if cfg.n_clusters != AUTO or n >= least:
        return cfg
    text = f"n_clusters='auto' needs at least {least} samples, found {n}: {cfg.choose.smallest} clusters are taken"
    warnings.warn(f"{text}; write n_clusters=<number>", UserWarning, stacklevel=4)
    return with_n_clusters(cfg, cfg.choose.smallest)


def _outside(trained: Trained) -> NDArray[np.int64]:
    """Return the numbers of the samples that are in no group; the ids of samples in memory are their numbers."""
    flagged = trained.outliers.flagged if trained.outliers else {}
    numbers = [np.array(trained.data.part(name).ids, dtype=np.int64)[rows] for name, rows in flagged.items()]
    return np.concatenate([*numbers, np.zeros(0, dtype=np.int64)])


def write_report(fitted: Fitted, file: Path, title: str) -> None:
    """Write the HTML report of a fit, as that of a run; k-means and other simple methods are computed for it now.

    Args:
        fitted: result of `fit_samples`.
        file: the page to write; nothing else is left on disk.
        title: the call, for the record.

    Raises:
        UserError: the page cannot be written.
    """
    with _one_at_a_time, tempfile.TemporaryDirectory() as scratch, silenced_libraries(), isolate_rng():
        folder = RunFolder(Path(scratch))
        for path, text in zip(folder.all_metrics, fitted.metrics, strict=True):
            if text:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        cfg = with_values(fitted.trained.cfg, {"baselines": "full", "cache_dir": str(folder.path / "cache")})
        trained = replace(fitted.trained, cfg=cfg)
        scores = asdict(evaluate(trained, title, commit()))
        conclude(scores, trained.predictions["fit"], file)
        if better := scores["verdict"]["better"]:
            again = f"DeepClustering({better!r}, n_clusters={cfg.n_clusters}, random_state={cfg.seed}).fit(X)"
            scores["verdict"].update(next=again, then=again)
        places = map_coordinates(trained.predictions, "pca", cfg.seed)["fit"]
        levels = make_levels(trained.shown, cfg.n_clusters, cfg.seed)
        found = trained.shown
        content = ReportContent(scores, trained.data, trained.method, found, places, "pca", folder, levels=levels)
        save_report(folder.path, content)
        try:
            with atomic_write(file) as page:
                page.write(folder.report.read_text(encoding="utf-8"))
        except OSError as error:
            raise UserError(f"{file} cannot be written: {first_line(error)}") from error


def with_values(cfg: DictConfig, values: dict[str, Any]) -> DictConfig:
    """Return a copy of a config with other values at the top."""
    changed = copy.deepcopy(cfg)
    with open_dict(changed):
        changed.update(values)
    return changed


def _text_of(file: Path) -> str:
    """Return the content of a file, empty where there is none."""
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def compose(settings: dict[str, Any], overrides: Sequence[str], verbose: bool) -> DictConfig:
    """Compose and check the config of a recipe for samples in memory.

    Args:
        settings: the caller's settings, by key of the config.
        overrides: further settings, as typed on the command line.
        verbose: whether progress is printed.

    Returns:
        The checked config.

    Raises:
        UserError: settings are wrong; the text names every problem.
    """
    keys = [text.lstrip("+~").partition("=")[0] for text in overrides]
    for key in keys:
        if key in _PARAMETERS:
            raise UserError(f"overrides: {key} is a parameter of its own; write {_PARAMETERS[key]}=...")
        if key in _FOLDER_KEYS or key.startswith("hydra"):
            raise UserError(f"overrides: {key} belongs to runs of the command line; leave it out")
    given = {**settings, "data": "array", "baselines": "none", "logger.tensorboard": "null"}
    given["trainer.enable_progress_bar"] = str(verbose).lower()
    typed = [f"{key}={value}" for key, value in given.items() if key not in keys]
    composition = compose_checked([*typed, *overrides])
    if composition.problems or composition.cfg is None:
        raise UserError("\n".join(composition.problems))
    check_allowed(composition.cfg, allowed_by())
    cfg = without_hydra(composition.cfg)
    check(cfg)
    return cfg


@contextmanager
def _environment_restored() -> Iterator[None]:
    """Restore all environment variables afterwards."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)
