"""A recipe carried out on samples in memory, as quietly as a library should be: nothing global stays changed."""

from __future__ import annotations

import os
import signal
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from omegaconf import DictConfig
from pytorch_lightning.utilities.seed import isolate_rng
from rich.console import Console

from deepcluster_pl.config.allowlist import check_targets, trusted_targets
from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.validation import plain, without_hydra
from deepcluster_pl.data.samples import Table
from deepcluster_pl.errors import InterruptedRun, UserError
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.serialization import load_model, read_description, save_model
from deepcluster_pl.runs.pipeline import run_on_samples
from deepcluster_pl.utils.csv_logger import read_curves
from deepcluster_pl.utils.warnings_filter import silence_libraries

_TAKEN = {
    "method": "method", "n_clusters": "n_clusters", "seed": "random_state", "trainer.accelerator": "accelerator",
}  # fmt: skip
_OF_A_FOLDER = ("data", "data.path", "data.name", "experiment", "resume", "ckpt_path", "hydra")


@dataclass(frozen=True)
class Fitted:
    """What a recipe came to.

    Attributes:
        module: as trained, on the CPU.
        description: how to build it anew; see `read_description`.
        history: points (n, 2) of each curve, as (optimizer step, value).
    """

    module: ClusteringModule
    description: dict[str, Any]
    history: dict[str, NDArray[np.float64]]


def fit_samples(table: Table, settings: dict[str, Any], overrides: Sequence[str], verbose: bool) -> Fitted:
    """Compose a recipe and carry it out.

    Args:
        table: the samples.
        settings: what the caller decides, by key of the config.
        overrides: further ones, as typed on the command line.
        verbose: whether progress is shown.

    Raises:
        UserError: a setting or the samples are unusable.
    """
    cfg = composed(settings, overrides, verbose)
    console = Console(highlight=False, quiet=not verbose)
    with tempfile.TemporaryDirectory() as scratch, _left_as_found():
        folder = Path(scratch)
        try:
            trained = run_on_samples(cfg, table, folder, console)
        except InterruptedRun as end:
            if end.number == signal.SIGINT:
                raise KeyboardInterrupt from None
            raise SystemExit(128 + end.number) from None
        net, method = plain(trained.cfg.net), plain(trained.cfg.method)
        samples = {"dtype": str(trained.data.part("fit").dtype)}
        save_model(trained.method, net, method, None, folder / "model", samples)
        curves = read_curves([folder / stage / "metrics.csv" for stage in ("pretrain", "fit")])
        history = {name: np.array(sorted(points.items()), dtype=np.float64) for name, points in curves.items()}
        return Fitted(load_model(folder / "model"), read_description(folder / "model"), history)


def composed(settings: dict[str, Any], overrides: Sequence[str], verbose: bool) -> DictConfig:
    """The config of a recipe for samples in memory; `UserError` with every problem of the settings."""
    keys = [text.lstrip("+~").partition("=")[0] for text in overrides]
    for key in keys:
        if key in _TAKEN:
            raise UserError(f"overrides: {key} is a parameter of its own; write {_TAKEN[key]}=...")
        if key in _OF_A_FOLDER or key.startswith("hydra"):
            raise UserError(f"overrides: {key} belongs to runs in folders, of the command line; leave it out")
    given = {**settings, "data": "array", "baselines": "none", "logger.tensorboard": "null"}
    given["trainer.enable_progress_bar"] = str(verbose).lower()
    typed = [f"{key}={value}" for key, value in given.items() if key not in keys]
    composition = compose_checked([*typed, *overrides])
    if composition.problems or composition.cfg is None:
        raise UserError("\n".join(composition.problems))
    check_targets(composition.cfg, trusted_targets())
    return without_hydra(composition.cfg)


@contextmanager
def _left_as_found() -> Iterator[None]:
    """Random states, environment and warning filters are the caller's own again afterwards."""
    environment = dict(os.environ)
    try:
        with warnings.catch_warnings(), isolate_rng():
            silence_libraries()
            yield
    finally:
        torch.set_flush_denormal(False)
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]
        os.environ.update(environment)
