"""A fitted estimator in a folder: JSON and safetensors that run no code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from deepcluster_pl.config.recipes import option_of_method
from deepcluster_pl.errors import UserError, first_line
from deepcluster_pl.evaluation.levels import Levels, load_levels
from deepcluster_pl.methods.base import ClusteringModule
from deepcluster_pl.methods.serialization import load_model, read_description, save_model
from deepcluster_pl.utils.atomic_files import atomic_write
from deepcluster_pl.utils.json_files import read_json
from deepcluster_pl.utils.tensor_files import load_tensors, save_tensors

SCHEMA = 1
_FACTS, _TENSORS, _LEVELS = "estimator.json", "estimator.safetensors", "levels.json"
_LONGEST = 2**28  # bytes of the JSON file; curves of a long training are long


@dataclass(frozen=True)
class SavedEstimator:
    """Content of the folder of an estimator.

    Attributes:
        module: the trained method.
        description: content of model.json.
        parameters: of the estimator's constructor.
        feature_names: names of the columns, or None.
        history: points (n, 2) of each curve, by its name.
        order: the module's number (K,) of each cluster.
        labels: cluster (N,) of each fitted sample; None for a run folder.
        components: that samples are projected on, (F, C); None = they are taken as they are.
        levels: coarser and finer groups; None where nobody asked for them.
    """

    module: ClusteringModule
    description: dict[str, Any]
    parameters: dict[str, Any]
    feature_names: list[str] | None
    history: dict[str, NDArray[np.float64]]
    order: NDArray[np.int64]
    labels: NDArray[np.int64] | None
    components: NDArray[np.float32] | None
    levels: Levels | None

    def write(self, folder: Path) -> None:
        """Write everything into a new folder; raise `UserError` if there is something in it."""
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UserError(f"{folder} exists and is not empty; name a new folder")
        save_model(self.module, self.description, folder)
        if self.levels is not None:
            self.levels.save(folder / _LEVELS)
        arrays = {"order": self.order, "labels": self.labels, "components": self.components}
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items() if array is not None}
        save_tensors(tensors, folder / _TENSORS)
        facts = {
            "schema": SCHEMA,
            "parameters": self.parameters,
            "feature_names": self.feature_names,
            "history": {name: points.tolist() for name, points in self.history.items()},
        }
        with atomic_write(folder / _FACTS) as file:
            json.dump(facts, file, indent=2)

    @staticmethod
    def read(folder: Path) -> SavedEstimator:
        """Read what `write` wrote, or the model of a run folder, which knows its recipe but not the overrides.

        Args:
            folder: folder of a saved estimator, or a run folder.

        Returns:
            Its content.

        Raises:
            UserError: there is no readable model, or a file is damaged.
        """
        folder = folder / "model" if (folder / "model" / "model.json").is_file() else folder
        module, description = load_model(folder), read_description(folder)
        facts, tensors = _read_facts(folder) if (folder / _FACTS).is_file() else ({}, {})
        recipe = {"method": option_of_method(module.name), "n_clusters": module.n_clusters}
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        labels = arrays.get("labels")
        has_levels = labels is not None and (folder / _LEVELS).is_file()
        return SavedEstimator(
            module=module,
            description=description,
            parameters=facts.get("parameters", recipe),
            feature_names=facts.get("feature_names") or description["samples"].get("feature_names"),
            history={name: np.array(points) for name, points in facts.get("history", {}).items()},
            order=arrays["order"] if arrays else np.arange(module.n_clusters),
            labels=labels,
            components=arrays.get("components"),
            levels=load_levels(folder / _LEVELS) if has_levels else None,
        )


def _read_facts(folder: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Return what `write` wrote beside the model; raise `UserError` where it is damaged."""
    try:
        facts = read_json(folder / _FACTS, _LONGEST)
        if facts["schema"] != SCHEMA:
            raise ValueError(f"schema {facts['schema']}, expected {SCHEMA}")
        return dict(facts), load_tensors(folder / _TENSORS)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder / _FACTS} cannot be read: {first_line(error)}") from error
