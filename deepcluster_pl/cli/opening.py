"""Print what a command will do, as its first line and before torch is imported, which takes seconds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from deepcluster_pl.config.typed import parse
from deepcluster_pl.errors import visible


def say(text: str) -> None:
    """Print a line now, also where the output is a file or a pipe; odd characters of names are escaped."""
    print(visible(text), flush=True)


def describe_run(cfg: DictConfig, overrides: Sequence[str], multirun: bool, folder: Path) -> str:
    """Describe a run or a sweep that is about to start.

    Args:
        cfg: the composed config with Hydra's own node; it calls no code but trusted code.
        overrides: as typed and understood.
        multirun: whether they are a sweep.
        folder: where the results go.

    Returns:
        A line that names method, data, number of clusters, seed and folder.
    """
    data = f"data={cfg.hydra.runtime.choices.data}"
    for key in ("data.path", "data.root"):
        if place := OmegaConf.select(cfg, key, throw_on_missing=False):
            data += f" {key}={place}"
    if multirun:
        parsed = [override for text in overrides if (override := parse(text, [])) is not None]
        swept = [str(override.input_line) for override in parsed if override.is_sweep_override()]
        over = f" over {' '.join(swept)}" if swept else ""
        return f"a sweep{over} will cluster {data}; results go to {folder}"
    into = f"n_clusters={cfg.n_clusters}, seed={cfg.seed}"
    return f"method={cfg.hydra.runtime.choices.method} will cluster {data}, {into}; results go to {folder}"
