"""Load new samples and predict their clusters with a finished run's model."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from torch import Tensor

from deepcluster_pl.config.allowlist import check_targets, trusted_targets
from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.hints import closest_match
from deepcluster_pl.config.instantiate import instantiate_node
from deepcluster_pl.config.quoting import quote_paths
from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.errors import UserError, first_line
from deepcluster_pl.evaluation.metrics import label_scores
from deepcluster_pl.methods.predictor import Predictor, device_of
from deepcluster_pl.methods.serialization import load_model, read_description
from deepcluster_pl.runs.folder import saved_run
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.run_folder import RunFolder

_USED = ["data", "seed", "cache_dir", "trainer"]  # what a source's options may refer to
_EVERYTHING = {"subset.size": None, "subset.stratify": False, "holdout": 0.0, "split": "random", "scale": "none"}
"""All samples, as they are: what was measured on the fitted ones lies in the model."""


def load_samples(folder: Path, overrides: Sequence[str], accelerator: str = "auto") -> ClusteringData:
    """Load all samples of the source that `data=` names, or of the run's own kind where only `data.<key>=` were typed.

    Args:
        folder: run folder.
        overrides: `data=` and `data.<key>=`, as typed.
        accelerator: for a backbone that describes pictures, if the source has one.

    Returns:
        The data, set up, with every sample in its fitted part.

    Raises:
        UserError: an option is unknown, or the source cannot be read.
    """
    chosen = any(text.startswith("data=") for text in overrides)
    cfg = _composed(overrides) if chosen else _changed(folder, overrides)
    cfg.trainer.accelerator = accelerator
    check_targets(cfg, trusted_targets())
    for key, value in _EVERYTHING.items():
        OmegaConf.update(cfg, f"data.{key}", value)
    if "copies" in cfg.data:
        cfg.data.copies = 0  # distorted ones are for training
    data: ClusteringData = instantiate_node(cfg.data)
    data.report = lambda line: print(line, file=sys.stderr)
    data.setup()
    return data


def _composed(overrides: Sequence[str]) -> DictConfig:
    composition = compose_checked(quote_paths(overrides))
    if composition.problems or composition.cfg is None:
        raise UserError("\n".join(composition.problems))
    return OmegaConf.masked_copy(composition.cfg, _USED)


def _changed(folder: Path, overrides: Sequence[str]) -> DictConfig:
    cfg = OmegaConf.masked_copy(saved_run(folder, "run").cfg, _USED)
    known = [f"data.{key}" for key in cfg.data]
    try:
        parsed: Any = OverridesParser.create().parse_overrides(quote_paths(overrides))
    except HydraException as error:
        raise UserError(f"{first_line(error)}; quote values that hold ,[]{{}}()= ") from error
    for override in parsed:
        key = str(override.key_or_group)
        if OmegaConf.select(cfg, key, default=known) is known:
            raise UserError(f"{key}: no such key; {closest_match(key, known)}")
        OmegaConf.update(cfg, key, override.value())
    return cfg


def predict(folder: Path, overrides: list[str], target: Path, with_probabilities: bool, accelerator: str) -> str:
    """Write the clusters of new samples as a table.

    Args:
        folder: run folder.
        overrides: `data=` and `data.<key>=`, as typed.
        target: CSV file to write.
        with_probabilities: add a column for each cluster.
        accelerator: `auto`, `cpu`, `gpu` and so on, as Lightning's Trainer takes it.

    Returns:
        Lines for the user: sizes, scores where there are labels, what was left out, the file.

    Raises:
        UserError: the samples do not fit the model.
    """
    model = RunFolder(folder).model
    device = device_of(accelerator)
    module = load_model(model)
    data = load_samples(folder, overrides, accelerator)
    expected = module.net.input_shape
    if data.input_shape != expected:
        raise UserError(
            f"{data.name}: samples have shape {data.input_shape}, expected {expected} as the run was fitted on"
        )
    check_names(read_description(model)["samples"].get("feature_names"), data)
    data.move_to(device)
    probabilities = Predictor(module, device).part(data, "fit")[1].cpu()
    save_predictions(target, data, probabilities, with_probabilities)
    part = data.part("fit")
    clusters = probabilities.argmax(dim=1).numpy()
    text = f"{len(part)} samples in {len(np.unique(clusters))} of {module.n_clusters} clusters"
    scores = label_scores(part.labels, clusters)
    if scores["acc"] is not None:
        text += f"; ACC {scores['acc']:.4f}, NMI {scores['nmi']:.4f}, ARI {scores['ari']:.4f} with the labels"
    return "\n".join([text, *save_skipped(data, target), str(target)])


def save_skipped(data: ClusteringData, target: Path) -> list[str]:
    """Write the pictures that could not be read, with reasons, beside the table.

    Args:
        data: a source, which has such pictures or not.
        target: the table's file.

    Returns:
        A line for the user, or none.
    """
    skipped = getattr(data, "skipped", None)
    if not skipped:
        return []
    beside = target.with_name(f"{target.stem}.skipped.csv")
    with atomic_write(beside) as file:
        csv.writer(file).writerows([("path", "reason"), *sorted(skipped.items())])
    name, reason = min(skipped.items())
    return [f"{len(skipped)} left out, such as {name!r}: {reason}; all of them in {beside}"]


def check_names(expected: list[str] | None, data: ClusteringData) -> None:
    """Raise `UserError` where columns have other names than the fitted ones, or another order.

    Args:
        expected: names of the fitted columns; None where they had none.
        data: the new samples.
    """
    found = data.part("fit").feature_names
    if expected is None or found is None or found == expected:
        return
    if sorted(found) == sorted(expected):
        hint = f"the columns are those of the run in another order; type 'data.columns=[{','.join(expected)}]'"
    else:
        place = next(i for i, pair in enumerate(zip(found, expected, strict=True)) if pair[0] != pair[1])
        hint = f"column {place} is {found[place]!r}, expected {expected[place]!r} as the run was fitted on"
    raise UserError(f"{data.name}: {hint}")


def save_predictions(target: Path, data: ClusteringData, probabilities: Tensor, with_probabilities: bool) -> None:
    """Write a table of clusters.

    Args:
        target: CSV file to write.
        data: ids, and labels where known.
        probabilities: (N, K).
        with_probabilities: add a column for each cluster.
    """
    part = data.part("fit")
    confidence, clusters = (values.numpy() for values in probabilities.max(dim=1))
    names = [f"probability_{k}" for k in range(probabilities.shape[1])] if with_probabilities else []
    with atomic_write(target) as file:
        writer = csv.writer(file)
        writer.writerow(["id", "cluster", "confidence", *(["label"] if part.labels is not None else []), *names])
        for i in range(len(part)):
            label = [part.labels[i]] if part.labels is not None else []
            each = [f"{value:.4f}" for value in probabilities[i].tolist()] if with_probabilities else []
            writer.writerow([part.ids[i], int(clusters[i]), f"{confidence[i]:.4f}", *label, *each])
