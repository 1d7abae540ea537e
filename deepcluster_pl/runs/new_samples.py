"""Load new samples and predict their clusters with a finished run's model."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from torch import Tensor

from deepcluster_pl.config.allowlist import allowed_by, check_allowed
from deepcluster_pl.config.compose import compose_checked
from deepcluster_pl.config.hints import closest_match
from deepcluster_pl.config.instantiate import instantiate_node
from deepcluster_pl.config.quoting import quote_paths
from deepcluster_pl.data.base import ClusteringData
from deepcluster_pl.data.sources.image_folder import ImageFolder
from deepcluster_pl.errors import UserError, first_line
from deepcluster_pl.evaluation.facets import Facets, find_facets
from deepcluster_pl.evaluation.group_names import read_group_names, suggested_group_names
from deepcluster_pl.evaluation.metrics import label_scores
from deepcluster_pl.methods.predictor import Predictor, device_of
from deepcluster_pl.methods.serialization import load_model, load_preparation, read_description
from deepcluster_pl.runs.folder import saved_run
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.run_folder import RunFolder, skipped_beside
from deepcluster_pl.utils.run_warnings import RunWarnings

_GROUPS = ["data", "n_clusters", "seed", "cache_dir", "trainer"]
"""Parts of a config that the options of a data source may refer to."""
_ALL_SAMPLES = {"subset.size": None, "subset.stratify": False, "holdout": 0.0, "split": "random", "scale": "none"}
"""Options that load all samples unscaled; the model contains the scaling that was measured on the fitted ones."""


def load_samples(folder: Path, overrides: Sequence[str], accelerator: str = "auto") -> ClusteringData:
    """Load all samples of a source: the one that `data=` names, or else the run's own with changed options.

    Args:
        folder: the run folder.
        overrides: `data=` and `data.<key>=`, as typed.
        accelerator: where a backbone describes pictures, if the source has one.

    Returns:
        The data, set up, with every sample in its fitted part.

    Raises:
        UserError: an option is unknown, or the source cannot be read.
    """
    names_source = any(text.startswith("data=") for text in overrides)
    cfg = _compose_source(overrides) if names_source else _change_source(folder, overrides)
    cfg.trainer.accelerator = accelerator
    check_allowed(cfg, allowed_by())
    for key, value in _ALL_SAMPLES.items():
        OmegaConf.update(cfg, f"data.{key}", value)
    if "copies" in cfg.data:
        cfg.data.copies = 0  # distorted copies are for training
    data: ClusteringData = instantiate_node(cfg.data)
    data.report = lambda line: print(line, file=sys.stderr)
    data.preparation = load_preparation(RunFolder(folder).model)
    if data.preparation is None:
        data.choice = data.choice._replace(plain=True)
    data.setup()
    return data


def _compose_source(overrides: Sequence[str]) -> DictConfig:
    """Return the config of the source that `data=` names."""
    composition = compose_checked(quote_paths(overrides))
    if composition.problems or composition.cfg is None:
        raise UserError("\n".join(composition.problems))
    return OmegaConf.masked_copy(composition.cfg, _GROUPS)


def _change_source(folder: Path, overrides: Sequence[str]) -> DictConfig:
    """Return the config of the run's own source, with its options changed as typed."""
    cfg = OmegaConf.masked_copy(saved_run(folder, "run").cfg, _GROUPS)
    known = [f"data.{key}" for key in cfg.data]
    try:
        parsed: Any = OverridesParser.create().parse_overrides(quote_paths(overrides))
    except HydraException as error:
        raise UserError(f"{first_line(error)}; quote values that hold ,[]{{}}()=") from error
    for override in parsed:
        key = str(override.key_or_group)
        if OmegaConf.select(cfg, key, default=known) is known:
            raise UserError(f"{key}: no such key; {closest_match(key, known)}")
        OmegaConf.update(cfg, key, override.value())
    return cfg


def predict(folder: Path, overrides: list[str], target: Path, with_probabilities: bool, accelerator: str) -> str:
    """Write the clusters of new samples as a table.

    Args:
        folder: the run folder.
        overrides: `data=` and `data.<key>=`, as typed.
        target: CSV file to write.
        with_probabilities: whether there is a column for each cluster's probability.
        accelerator: `auto`, `cpu`, `gpu` and so on, as Lightning's Trainer takes it.

    Returns:
        Lines for the user: sizes, scores if there are labels, skipped pictures, the file.

    Raises:
        UserError: the samples do not fit the model.
    """
    # Load the model and the samples, and check that they fit
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
    # Predict, and write the table
    data.move_to(device)
    probabilities = Predictor(module, device).part(data, "fit")[1].cpu()
    names = read_group_names(RunFolder(folder).groups, module.n_clusters)
    if names is None and isinstance(data, ImageFolder):
        names = suggested_group_names(RunFolder(folder).assignments, module.n_clusters)
    save_predictions(target, data, probabilities, with_probabilities, names, _facets_of(data))
    # Summarize
    part = data.part("fit")
    clusters = probabilities.argmax(dim=1).numpy()
    text = f"{len(part)} samples in {len(np.unique(clusters))} of {module.n_clusters} clusters"
    scores = label_scores(part.labels, clusters)
    if scores["acc"] is not None:
        text += f"; ACC {scores['acc']:.4f}, NMI {scores['nmi']:.4f}, ARI {scores['ari']:.4f} with the labels"
    return "\n".join([text, *save_skipped(data, target), str(target)])


def _facets_of(data: ClusteringData) -> dict[str, list[str]]:
    """Return columns of what is in pictures, as a run has them; a failure is a warning. Other samples have none."""
    facets = Facets()
    if isinstance(data, ImageFolder):
        with RunWarnings(data.report).attempt("facets of pictures"):
            facets = find_facets(data, ["fit"])
    return {column: texts["fit"] for column, texts in facets.columns.items()}


def save_skipped(data: ClusteringData, target: Path) -> list[str]:
    """Write the paths of the pictures that could not be read, with reasons, beside the table.

    Args:
        data: the new samples, of any source.
        target: the table's file.

    Returns:
        A line for the user, or none if every picture was read.
    """
    skipped = getattr(data, "skipped", None)
    if not skipped:
        return []
    beside = skipped_beside(target)
    with atomic_write(beside, replaces=False) as file:
        csv.writer(file).writerows([("path", "reason"), *sorted(skipped.items())])
    name, reason = min(skipped.items())
    return [f"{len(skipped)} left out, such as {name!r}: {reason}; all of them in {beside}"]


def check_names(expected: list[str] | None, data: ClusteringData) -> None:
    """Raise `UserError` if the columns have other names than the fitted ones, or another order.

    Args:
        expected: names of the fitted columns; None if they had none.
        data: the new samples.
    """
    names = data.part("fit").feature_names
    if expected is None or names is None or names == expected:
        return
    i = next(i for i, pair in enumerate(zip(names, expected, strict=True)) if pair[0] != pair[1])
    raise UserError(f"{data.name}: column {i} is {names[i]!r}, expected {expected[i]!r} as the run was fitted on")


def save_predictions(
    target: Path,
    data: ClusteringData,
    probabilities: Tensor,
    with_probabilities: bool,
    names: list[str] | None = None,
    facets: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Write a table with the cluster of each sample.

    Args:
        target: CSV file to write.
        data: the samples, with their ids, and labels if known.
        probabilities: probability (N, K) of each sample in each cluster.
        with_probabilities: whether there is a column for each cluster's probability.
        names: name of each cluster, which make one more column; None where there are none.
        facets: more columns: text for every sample, by name; None = no such columns.
    """
    part, more = data.part("fit"), facets or {}
    confidence, clusters = (values.numpy() for values in probabilities.max(dim=1))
    added = [f"probability_{k}" for k in range(probabilities.shape[1])] if with_probabilities else []
    added += [*(["name"] if names else []), *more]
    with atomic_write(target, replaces=False) as file:
        writer = csv.writer(file)
        writer.writerow(["id", "cluster", "confidence", *(["label"] if part.labels is not None else []), *added])
        for i in range(len(part)):
            label = [part.labels[i]] if part.labels is not None else []
            cells = [f"{value:.4f}" for value in probabilities[i].tolist()] if with_probabilities else []
            cells += [names[int(clusters[i])]] if names else []
            cells += [texts[i] for texts in more.values()]
            writer.writerow([part.ids[i], int(clusters[i]), f"{confidence[i]:.4f}", *label, *cells])
